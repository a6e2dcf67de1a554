using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Chains;

/// <summary>What a chain held.</summary>
/// <param name="Files">What each file held, the full backup's first.</param>
/// <param name="ImageLength">Bytes of the image.</param>
/// <param name="ImageChecksum">SHA-256 of the image, lower-case hex.</param>
/// <param name="WalChecksum">SHA-256 of the newest increment's log, lower-case hex; null for a backup that stands by itself.</param>
internal sealed record ChainContent(IReadOnlyList<ReadResult> Files, long ImageLength, string ImageChecksum, string? WalChecksum);
