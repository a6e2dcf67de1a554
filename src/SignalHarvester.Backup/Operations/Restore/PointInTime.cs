using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Finds the backup of a database for a moment.</summary>
public static class PointInTime
{
    /// <summary>Finds the newest backup at or before a moment. Safety backups, and backups known to be unrestorable, do not count.</summary>
    /// <param name="backups">The backups of the candidate databases, with their depths.</param>
    /// <param name="moment">The moment.</param>
    /// <param name="skipped">Called for each nearer backup that was skipped: its chain failed
    /// a verification or is incomplete, it is only a log, or its database was damaged.</param>
    /// <param name="contradicted">Called with the found backup, and an earlier one with a later date, which shows that a clock was wrong.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="BackupException">NoBackupAtMoment, DatabaseAmbiguous.</exception>
    public static BackupMetadata Find(
        IEnumerable<BackupMetadata> backups, DateTimeOffset moment, Action<BackupMetadata> skipped, Action<BackupMetadata, BackupMetadata> contradicted,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(backups);
        ArgumentNullException.ThrowIfNull(skipped);
        ArgumentNullException.ThrowIfNull(contradicted);
        var candidates = backups.Where(backup => !backup.IsSafety).ToList();
        if (DatabasesOf(candidates) is { Count: > 1 } databases)
        {
            throw Ambiguous(moment, databases);
        }

        var chains = new ChainHealth(candidates.ToDictionary(backup => backup.Id, StringComparer.Ordinal), now);
        var passedOver = 0;
        foreach (var backup in candidates.Where(backup => backup.Timestamp <= moment).NewestFirst())
        {
            if (ChainHealth.IsIncomplete(backup) || backup.IsSourceCorrupt || chains.HasFailed(backup))
            {
                skipped(backup);
                passedOver++;
                continue;
            }

            if (candidates.Find(other => other.Order < backup.Order && BackupOrder.IsAhead(other.Timestamp, backup.Timestamp)) is { } before)
            {
                contradicted(backup, before);
            }

            return backup;
        }

        var oldest = candidates.Count == 0 ? null : candidates.MinBy(backup => backup.Timestamp);
        throw new BackupException(
            BackupErrorId.NoBackupAtMoment,
            moment,
            string.Create(CultureInfo.InvariantCulture, $"There is no usable backup as old as {moment.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC. ")
                + (oldest is null ? "There is no backup of this database. List the backups with Get-SHBackup."
                    : passedOver > 0 ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{passedOver} of that age failed their verification, contain a damaged database or only a log, or have a broken chain. Give a later moment, or test them again with Test-SHBackup.")
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"The oldest, '{oldest.Id}', dates from {oldest.Timestamp.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC. Give a later moment.")));
    }

    /// <summary>The databases of backups, each once, in order.</summary>
    internal static IReadOnlyList<string?> DatabasesOf(IEnumerable<BackupMetadata> backups) =>
        [.. backups.Select(backup => backup.DatabasePath).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The error for a choice among the backups of several databases.</summary>
    internal static BackupException Ambiguous(object? target, IReadOnlyList<string?> databases) => new(
        BackupErrorId.DatabaseAmbiguous, target,
        $"There are backups of {databases.Count} databases: {string.Join(", ", databases.Take(5))}{(databases.Count > 5 ? " ..." : string.Empty)}. Give one of them with -Database.");
}
