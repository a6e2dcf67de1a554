namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>The newest backups of each database.</summary>
public static class NewestBackups
{
    /// <summary>The newest one of each. Safety backups, and backups of damaged databases, do not count.</summary>
    /// <param name="backups">Backups, newest first.</param>
    public static IReadOnlyList<BackupMetadata> OfEach(IEnumerable<BackupMetadata> backups) =>
        [.. backups.Where(backup => backup is { IsSafety: false, IsSourceCorrupt: false }).DistinctBy(backup => backup.DatabasePath, StringComparer.Ordinal)];

    /// <summary>The newest N of each, in their given order. Safety backups do not count.</summary>
    /// <param name="backups">Backups, newest first.</param>
    /// <param name="count">How many.</param>
    public static IEnumerable<BackupMetadata> OfEach(IEnumerable<BackupMetadata> backups, int count)
    {
        // Those whose database is not recorded count as one.
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
        return backups.Where(backup => !backup.IsSafety
            && (found[backup.DatabasePath ?? string.Empty] = found.GetValueOrDefault(backup.DatabasePath ?? string.Empty) + 1) <= count);
    }
}
