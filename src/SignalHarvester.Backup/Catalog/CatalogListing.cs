namespace SignalHarvester.Backup.Catalog;

/// <summary>The content of a backup directory, with the unusable sidecars.</summary>
/// <param name="Backups">The backups, newest first.</param>
/// <param name="Faults">One error for each unusable sidecar.</param>
public sealed record CatalogListing(IReadOnlyList<BackupMetadata> Backups, IReadOnlyList<BackupException> Faults);
