namespace SignalHarvester.Backup.Catalog;

/// <summary>Tells whether two descriptions are of the same backup.</summary>
internal static class ImageIdentity
{
    /// <summary>
    /// Whether two backups of one id hold the same image of the same database. Their files may differ: one may have been
    /// folded where the other is still an increment.
    /// </summary>
    public static bool HoldsSameImageAs(this BackupMetadata one, BackupMetadata other) =>
        one.Id == other.Id
        && one.DatabasePath == other.DatabasePath
        && one.Timestamp == other.Timestamp
        && (IsSame(one.StoredChecksum, other.StoredChecksum) || IsSame(one.Checksum, other.Checksum) || IsSame(one.PagesChecksum, other.PagesChecksum));

    private static bool IsSame(string? one, string? other) => one is not null && one == other;
}
