namespace SignalHarvester.Backup;

/// <summary>The outcome of a restore drill: a backup restored to a temporary place as a real restore would, and questioned there.</summary>
public sealed record RestoreDrill
{
    /// <summary>The database, as a full path on the machine that made the backup; null where it is not known.</summary>
    public string? Database { get; init; }

    /// <summary>The backup that was restored.</summary>
    public required string BackupId { get; init; }

    /// <summary>Where the backup was taken from: the backup directory, or the object store.</summary>
    public required string Source { get; init; }

    /// <summary>Whether everything passed.</summary>
    public bool Passed { get; init; }

    /// <summary>Whether the files of the backup and of all that it builds on were there.</summary>
    public bool FileExists { get; init; }

    /// <summary>Bytes of the stored file of the backup.</summary>
    public long Size { get; init; }

    /// <summary>Bytes of the restored database; 0 where it was not restored.</summary>
    public long RestoredBytes { get; init; }

    /// <summary>Whether the restore itself ended well: files, checksums, decryption, decompression.</summary>
    public DrillResult RestoreResult { get; init; }

    /// <summary>Whether <c>PRAGMA integrity_check</c> and <c>PRAGMA foreign_key_check</c> found nothing.</summary>
    public DrillResult IntegrityResult { get; init; }

    /// <summary>Whether schema and row counts are those that were recorded when the backup was made.</summary>
    public DrillResult ContentResult { get; init; }

    /// <summary>The answers to the owner's own questions.</summary>
    public IReadOnlyList<DrillAssertionResult> Assertions
    {
        get;
        init => field = value as DrillAssertionResult[] ?? value.ToArray();
    } = [];

    /// <summary>When the drill was begun, in UTC.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>When it had ended, in UTC.</summary>
    public DateTimeOffset Ended { get; init; }

    /// <summary>How long all of it took.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>How long the restore took, from the first byte read to the database in its place, with the checks that a restore makes: the recovery time to reckon with.</summary>
    public TimeSpan RestoreTime { get; init; }

    /// <summary>Bytes of the database restored in a second.</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>The stable id of the error that the drill failed with; null where it passed.</summary>
    public string? ErrorId { get; init; }

    /// <summary>Why it failed, in a sentence; null where it passed.</summary>
    public string? Reason { get; init; }

    /// <summary>The drill on one line.</summary>
    public override string ToString() => $"{BackupId} {(Passed ? "restores" : "DOES NOT RESTORE: " + Reason)}";
}
