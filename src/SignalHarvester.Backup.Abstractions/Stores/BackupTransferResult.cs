using System.Diagnostics.CodeAnalysis;

namespace SignalHarvester.Backup;

/// <summary>
/// The result of a transfer, as Send- and Receive-SHBackup emit it: the backup in the backup directory of this machine, with what was
/// copied.
/// </summary>
public sealed record BackupTransferResult : BackupMetadata
{
    /// <summary>Makes an empty result, to be filled from the properties of one that came out of a job or a file.</summary>
    public BackupTransferResult()
    {
    }

    /// <summary>Makes the result of a transfer of a backup.</summary>
    [SetsRequiredMembers]
    internal BackupTransferResult(BackupMetadata transferred)
        : base(transferred)
    {
    }

    /// <summary>Where it was: a backup directory, or the address of an object store.</summary>
    public string From { get; init; } = string.Empty;

    /// <summary>Where it is now as well.</summary>
    public string To { get; init; } = string.Empty;

    /// <summary>
    /// The backup files that were copied: the backup's own, and those of its chain that were not there. 0 if everything was there
    /// already.
    /// </summary>
    public int FilesCopied { get; init; }

    /// <summary>The size of these files, in bytes.</summary>
    public long BytesCopied { get; init; }

    /// <summary>The duration of the transfer.</summary>
    public TimeSpan Elapsed { get; init; }
}
