using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Chains;

/// <summary>The content of a chain.</summary>
/// <param name="Files">The content of each file, the full backup's first.</param>
/// <param name="ImageLength">Bytes of the image.</param>
/// <param name="ImageChecksum">SHA-256 of the image, lower-case hex.</param>
/// <param name="WalChecksum">SHA-256 of the newest increment's log, lower-case hex; null for a backup that builds on no other.</param>
internal sealed record ChainContent(IReadOnlyList<ReadResult> Files, long ImageLength, string ImageChecksum, string? WalChecksum);
