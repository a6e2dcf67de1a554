namespace SignalHarvester.Backup;

/// <summary>The result of scrubbing one backup, as Invoke-SHBackupScrub emits it.</summary>
public sealed record BackupScrubResult
{
    /// <summary>The backup's id.</summary>
    public required string BackupId { get; init; }

    /// <summary>The database, as a full path on the machine that made the backup.</summary>
    public string? DatabasePath { get; init; }

    /// <summary>The directory of the backup.</summary>
    public required string BackupDirectory { get; init; }

    /// <summary>The backup's file, as a full path.</summary>
    public required string BackupPath { get; init; }

    /// <summary>The outcome.</summary>
    public ScrubOutcome Outcome { get; init; }

    /// <summary>The reason for the outcome, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The start of the check, in UTC.</summary>
    public DateTimeOffset Timestamp { get; init; }

    /// <summary>The time of the last good reading before; null if unknown.</summary>
    public DateTimeOffset? LastCheck { get; init; }

    /// <summary>The number of bytes read.</summary>
    public long Bytes { get; init; }

    /// <summary>The duration, including a repair.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The present path of the damaged file, beside its sidecar; null if nothing was quarantined.</summary>
    public string? QuarantinePath { get; init; }

    /// <summary>The address of the copy that replaced the file; null if none did.</summary>
    public string? RepairedFrom { get; init; }

    /// <summary>The ids of the backups that can no longer be restored, because they build on this one.</summary>
    public IReadOnlyList<string> BrokenDependants
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<string>([]);

    /// <summary>The result on one line.</summary>
    public override string ToString() => $"{BackupId}: {Outcome} ({Reason})";
}
