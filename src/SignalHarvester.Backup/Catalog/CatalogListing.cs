namespace SignalHarvester.Backup.Catalog;

/// <summary>What a backup directory holds, with the sidecars that could not be used.</summary>
/// <param name="Backups">The backups, newest first.</param>
/// <param name="Faults">One error for each sidecar that could not be used.</param>
public sealed record CatalogListing(IReadOnlyList<BackupMetadata> Backups, IReadOnlyList<BackupException> Faults);
