using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>The outcome of a restore drill: a backup restored to a temporary place as in a real restore, and queried there.</summary>
public sealed record RestoreDrill
{
    /// <summary>The database, as a full path on the machine that made the backup; null if unknown.</summary>
    public string? Database { get; init; }

    /// <summary>The restored backup.</summary>
    public required string BackupId { get; init; }

    /// <summary>The source of the backup: the backup directory, or the object store.</summary>
    public required string Source { get; init; }

    /// <summary>The transaction of a stream that was restored; null if it was a backup.</summary>
    public long? Transaction { get; init; }

    /// <summary>When that was first seen, in UTC.</summary>
    public DateTimeOffset? TransactionTime { get; init; }

    /// <summary>The transaction that the protection on this machine had reported as stored when the drill began; null if nothing is known of one.</summary>
    public long? StoredTransaction { get; init; }

    /// <summary>Whether everything passed.</summary>
    public bool Passed { get; init; }

    /// <summary>Whether the files of the backup's chain exist.</summary>
    public bool FileExists { get; init; }

    /// <summary>The size of the backup's stored file, in bytes.</summary>
    public long Size { get; init; }

    /// <summary>The size of the restored database, in bytes; 0 if it was not restored.</summary>
    public long RestoredBytes { get; init; }

    /// <summary>Whether the restore itself succeeded: files, checksums, decryption, decompression.</summary>
    public DrillResult RestoreResult { get; init; }

    /// <summary>
    /// Whether <c>PRAGMA integrity_check</c> found no problem, and <c>PRAGMA foreign_key_check</c> none that the database did not have when
    /// it was backed up.
    /// </summary>
    public DrillResult IntegrityResult { get; init; }

    /// <summary>Whether schema and row counts match the record of the backup.</summary>
    public DrillResult ContentResult { get; init; }

    /// <summary>The answers to your own queries.</summary>
    public IReadOnlyList<DrillAssertionResult> Assertions
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<DrillAssertionResult>([]);

    /// <summary>The start of the drill, in UTC.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>The end of the drill, in UTC.</summary>
    public DateTimeOffset Ended { get; init; }

    /// <summary>The duration of the whole drill.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>
    /// The duration of the restore, from the first byte read to the database in its place, including the checks of a restore:
    /// the recovery time to expect.
    /// </summary>
    public TimeSpan RestoreTime { get; init; }

    /// <summary>The restored bytes per second.</summary>
    public double BytesPerSecond { get; init; }

    /// <summary>The stable id of the drill's error; null if it passed.</summary>
    public string? ErrorId { get; init; }

    /// <summary>Why it failed, in a sentence; null if it passed.</summary>
    public string? Reason { get; init; }

    /// <summary>What is odd about the database, and was so when it was backed up; null if nothing is.</summary>
    public string? Warning { get; init; }

    /// <summary>The drill on one line.</summary>
    public override string ToString()
    {
        var name = Transaction is { } number ? string.Create(CultureInfo.InvariantCulture, $"transaction {number}") : BackupId;
        return $"{name} {(Passed ? "restores" : "DOES NOT RESTORE: " + Reason)}";
    }
}
