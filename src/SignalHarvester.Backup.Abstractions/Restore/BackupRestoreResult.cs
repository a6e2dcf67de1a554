using System.Diagnostics.CodeAnalysis;

namespace SignalHarvester.Backup;

/// <summary>
/// The result of a restore, as Restore-SHBackup emits it: the restored backup, with where it went. The checks of this restore are in
/// Verification.
/// </summary>
public sealed record BackupRestoreResult : BackupMetadata
{
    /// <summary>Makes an empty result, to be filled from the properties of one that came out of a job or a file.</summary>
    public BackupRestoreResult()
    {
    }

    /// <summary>Makes the result of a restore of a backup.</summary>
    [SetsRequiredMembers]
    internal BackupRestoreResult(BackupMetadata restored)
        : base(restored)
    {
    }

    /// <summary>The database file that was written, as a full path. Not called Destination, which cmdlets take from their input.</summary>
    public string RestoredTo { get; init; } = string.Empty;

    /// <summary>The size of the restored database, in bytes.</summary>
    public long RestoredBytes { get; init; }

    /// <summary>The rows of all its ordinary tables; null if this restore did not count them.</summary>
    public long? RestoredRows { get; init; }

    /// <summary>The transaction that was restored, if a stream of transactions led beyond the backup; null for the backup itself.</summary>
    public long? RestoredTransaction { get; init; }

    /// <summary>When that transaction was committed; null for the backup itself.</summary>
    public DateTimeOffset? RestoredMoment { get; init; }

    /// <summary>The duration of this restore, including its checks, the safety backup, and the download from an object store.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What was checked, in a phrase.</summary>
    public string Detail => VerificationCheck.Summary(Verification);

    /// <summary>The id of the safety backup of the overwritten database; null if there is none.</summary>
    public string? SafetyBackupId { get; init; }

    /// <summary>
    /// The file of the safety backup, or the kept copy of a file that SQLite could not open, as a full path; null if nothing was
    /// overwritten or kept.
    /// </summary>
    public string? SafetyBackupPath { get; init; }
}
