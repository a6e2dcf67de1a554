namespace SignalHarvester.Backup.Operations;

/// <summary>The newest backup of each database.</summary>
public static class NewestBackups
{
    /// <summary>Finds them. Safety backups, and backups of damaged databases, do not count.</summary>
    /// <param name="backups">Backups, newest first.</param>
    public static IReadOnlyList<BackupMetadata> OfEach(IEnumerable<BackupMetadata> backups) =>
        [.. backups.Where(backup => backup is { IsSafety: false, IsSourceCorrupt: false }).DistinctBy(backup => backup.DatabasePath, StringComparer.Ordinal)];
}
