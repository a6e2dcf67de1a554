using SignalHarvester.Backup.Formats;

namespace SignalHarvester.Backup.Chains;

/// <summary>The content of a chain.</summary>
/// <param name="Files">The content of each file, the full backup's first.</param>
/// <param name="ImageLength">Bytes of the image.</param>
/// <param name="ImageChecksum">SHA-256 of the image, lower-case hex; null if it was compared with what was written.</param>
/// <param name="WalChecksum">SHA-256 of the newest increment's log, lower-case hex; null for a backup that builds on no other.</param>
internal sealed record ChainContent(IReadOnlyList<ReadResult> Files, long ImageLength, string? ImageChecksum, string? WalChecksum)
{
    /// <summary>Whether the image is the one that was written (<see cref="OpenChain.Written"/>); null if that is not known.</summary>
    public bool? IsAsWritten { get; init; }
}
