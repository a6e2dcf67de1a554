namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The place of backups: a backup directory of this machine, or an object store; or no catalogue at all, for a file that
/// is given by its path and has no sidecar.
/// </summary>
/// <remarks>
/// A stream of transactions will be one kind more: a case here, and one in each operation that asks <see cref="Store"/> today.
/// </remarks>
public sealed class BackupCatalog : IEquatable<BackupCatalog>
{
    private BackupCatalog(BackupDirectory home, BackupDirectory? directory, StoreCatalog? store)
    {
        Home = home;
        Directory = directory;
        Store = store;
    }

    /// <summary>The directory that the backups are in; null for a store, and for a file by itself.</summary>
    public BackupDirectory? Directory { get; }

    /// <summary>The object store that the backups are in; null for a directory, and for a file by itself.</summary>
    public StoreCatalog? Store { get; }

    /// <summary>
    /// The backup directory on this machine: the one with the backups, else the one for downloads, history and safety backups.
    /// </summary>
    public BackupDirectory Home { get; }

    /// <summary>A backup directory.</summary>
    public static BackupCatalog Of(BackupDirectory directory) => new(directory, directory, store: null);

    /// <summary>An object store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="home">The backup directory of this machine that belongs to it.</param>
    public static BackupCatalog Of(StoreCatalog store, BackupDirectory home) => new(home, directory: null, store);

    /// <summary>No catalogue: for a file by itself.</summary>
    /// <param name="home">The backup directory of this machine.</param>
    public static BackupCatalog None(BackupDirectory home) => new(home, directory: null, store: null);

    /// <summary>Lists all backups, newest first; none for a file by itself.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, the Cloud… errors: a failed listing is never an empty one.</exception>
    public CatalogListing List(CancellationToken cancellation) => Store?.List(cancellation) ?? Directory?.List() ?? new CatalogListing([], []);

    /// <summary>The backups that build on one, directly or through others, newest first.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, the Cloud… errors.</exception>
    public IReadOnlyList<BackupMetadata> Dependants(string id, CancellationToken cancellation) =>
        Store?.Dependants(id, cancellation) ?? Directory?.Dependants(id) ?? [];

    /// <inheritdoc/>
    public bool Equals(BackupCatalog? other) =>
        other is not null && ReferenceEquals(Store, other.Store) && Directory?.Path == other.Directory?.Path && Home.Path == other.Home.Path;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BackupCatalog);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Store, Home.Path);

    /// <summary>The address of the store, or the path of the directory.</summary>
    public override string ToString() => Store?.Location.ToString() ?? Home.Path;
}
