namespace SignalHarvester.Backup;

/// <summary>What a scrub found of one backup: what Invoke-SHBackupScrub emits.</summary>
public sealed record BackupScrubResult
{
    /// <summary>The backup's id.</summary>
    public required string BackupId { get; init; }

    /// <summary>The database that was backed up, as a full path on the machine that made the backup.</summary>
    public string? DatabasePath { get; init; }

    /// <summary>The directory that the backup was found in.</summary>
    public required string BackupDirectory { get; init; }

    /// <summary>The backup's file, as a full path.</summary>
    public required string BackupPath { get; init; }

    /// <summary>What was found.</summary>
    public ScrubOutcome Outcome { get; init; }

    /// <summary>What that rests on, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>When the check began, in UTC.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>When the file was read and found good before; null where that is not known.</summary>
    public DateTimeOffset? LastCheck { get; init; }

    /// <summary>Bytes of the file that were read.</summary>
    public long Bytes { get; init; }

    /// <summary>How long it took, a repair included.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Where the damaged file lies now, its sidecar beside it; null where nothing was put into the quarantine.</summary>
    public string? QuarantinePath { get; init; }

    /// <summary>The address of the copy that the file was fetched from; null where it was not.</summary>
    public string? RepairedFrom { get; init; }

    /// <summary>The ids of the backups that cannot be restored any more, because they build on this one.</summary>
    public IReadOnlyList<string> BrokenDependants
    {
        get;
        // An array, which PowerShell can index from both ends; the compiler's own read-only list it cannot.
        init => field = value as string[] ?? value.ToArray();
    } = [];

    /// <summary>The result on one line.</summary>
    public override string ToString() => $"{BackupId}: {Outcome} ({Reason})";
}
