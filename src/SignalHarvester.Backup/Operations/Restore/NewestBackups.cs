namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>The newest backups of each database.</summary>
public static class NewestBackups
{
    /// <summary>Returns the newest backup of each database. Safety backups, and backups of damaged databases, do not count.</summary>
    /// <param name="backups">Backups, newest first.</param>
    public static IReadOnlyList<BackupMetadata> OfEach(IEnumerable<BackupMetadata> backups) =>
        [.. backups.Where(backup => backup is { IsSafety: false, IsSourceCorrupt: false }).DistinctBy(backup => backup.DatabasePath, StringComparer.Ordinal)];

    /// <summary>Returns the newest backups of each database, in their given order. Safety backups do not count.</summary>
    /// <param name="backups">Backups, newest first.</param>
    /// <param name="count">The number of backups of each database.</param>
    public static IEnumerable<BackupMetadata> OfEach(IEnumerable<BackupMetadata> backups, int count)
    {
        // Backups without a recorded database count as backups of one database.
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
        return backups.Where(backup => !backup.IsSafety
            && (found[backup.DatabasePath ?? string.Empty] = found.GetValueOrDefault(backup.DatabasePath ?? string.Empty) + 1) <= count);
    }

    /// <summary>Returns the newest backups of the only database there. Safety backups, and those of damaged databases, do not count.</summary>
    /// <param name="backups">Backups, newest first.</param>
    /// <param name="count">The number of backups.</param>
    /// <exception cref="BackupException">DatabaseAmbiguous, BackupNotFound.</exception>
    public static IReadOnlyList<BackupMetadata> OfOne(IReadOnlyCollection<BackupMetadata> backups, int count)
    {
        List<BackupMetadata> candidates =
            [.. backups.Where(backup => backup is { IsSafety: false, IsSourceCorrupt: false, IsRetired: false, Depth: not null })];
        return candidates.Count == 0
            ? throw new BackupException(BackupErrorId.BackupNotFound, null, "There is no backup of this database. List the backups with Get-SHBackup.")
            : Restore.PointInTime.DatabasesOf(candidates) is { Count: > 1 } databases ? throw Restore.PointInTime.Ambiguous(null, databases)
            : [.. candidates.Take(count)];
    }
}
