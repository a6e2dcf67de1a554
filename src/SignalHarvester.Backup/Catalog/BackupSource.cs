namespace SignalHarvester.Backup.Catalog;

/// <summary>A backup and its place: the start of a restore, a test or a drill, wherever the backup comes from.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="Catalog">Where it is.</param>
public sealed record BackupSource(BackupMetadata Backup, BackupCatalog Catalog)
{
    /// <summary>Makes the source of a backup in a directory of this machine.</summary>
    public static BackupSource In(BackupDirectory directory, BackupMetadata backup) => new(backup, BackupCatalog.Of(directory));

    /// <summary>The chain of the backup, the full one first, as the sidecars describe it now.</summary>
    /// <exception cref="BackupException">ChainBroken, BackupNotFound, SidecarInvalid, SidecarHostile, and the Cloud… errors.</exception>
    internal IReadOnlyList<BackupMetadata> Chain(CancellationToken cancellation) =>
        Catalog.Store is { } store ? [.. store.Chain(Backup.Id, cancellation).Select(link => link.Backup)]
        : Catalog.Directory is { } directory && BackupChain.IsIncrement(Backup) ? directory.Chain(Backup.Id)
        : BackupChain.Resolve(Backup, _ => null);
}
