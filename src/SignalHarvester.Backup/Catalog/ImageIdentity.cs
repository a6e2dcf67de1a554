namespace SignalHarvester.Backup.Catalog;

/// <summary>Compares two descriptions of a backup.</summary>
internal static class ImageIdentity
{
    /// <summary>
    /// Whether two backups with one id have the same image of the same database. Their files may differ: one may have been folded
    /// while the other is still an increment.
    /// </summary>
    public static bool HoldsSameImageAs(this BackupMetadata one, BackupMetadata other) =>
        one.Id == other.Id
        && one.DatabasePath == other.DatabasePath
        && one.Timestamp == other.Timestamp
        && (IsSame(one.StoredChecksum, other.StoredChecksum) || IsSame(one.Checksum, other.Checksum) || IsSame(one.PagesChecksum, other.PagesChecksum));

    private static bool IsSame(string? one, string? other) => one is not null && one == other;
}
