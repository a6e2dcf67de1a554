namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The place of backups: a backup directory of this machine, an object store, or no catalogue at all, for a file without a
/// sidecar that is given by its path.
/// </summary>
/// <remarks>
/// A stream of transactions will be a further kind: one more case here, and in each operation that today asks <see cref="Store"/> today.
/// </remarks>
public sealed class BackupCatalog : IEquatable<BackupCatalog>
{
    private readonly Lazy<BackupDirectory> home;

    private BackupCatalog(Lazy<BackupDirectory> home, BackupDirectory? directory, StoreCatalog? store)
    {
        this.home = home;
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
    /// <exception cref="BackupException">Only for a file by itself: InvalidArgument, because the given directory is not one.</exception>
    public BackupDirectory Home => home.Value;

    /// <summary>Makes a catalogue of a backup directory.</summary>
    public static BackupCatalog Of(BackupDirectory directory) => new(new(directory), directory, store: null);

    /// <summary>Makes a catalogue of an object store.</summary>
    /// <param name="store">The store.</param>
    /// <param name="home">The backup directory of this machine that belongs to it.</param>
    public static BackupCatalog Of(StoreCatalog store, BackupDirectory home) => new(new(home), directory: null, store);

    /// <summary>Makes the catalogue of a file by itself: none.</summary>
    /// <param name="home">Opens the backup directory of this machine when it is first needed.</param>
    public static BackupCatalog None(Func<BackupDirectory> home) => new(new(home), directory: null, store: null);

    /// <summary>Lists all backups, newest first; none for a file by itself.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, the Cloud… errors: a failed listing is never an empty one.</exception>
    public CatalogListing List(CancellationToken cancellation) => Store?.List(cancellation) ?? Directory?.List() ?? new CatalogListing([], []);

    /// <summary>The backups that build on one, directly or through others, newest first.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, the Cloud… errors.</exception>
    public IReadOnlyList<BackupMetadata> Dependants(string id, CancellationToken cancellation) =>
        Store?.Dependants(id, cancellation) ?? Directory?.Dependants(id) ?? [];

    /// <summary>Whether both hold the same backups, whichever home belongs to them.</summary>
    public bool Equals(BackupCatalog? other) =>
        other is not null && ReferenceEquals(Store, other.Store) && Directory?.Path == other.Directory?.Path;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as BackupCatalog);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Store, Directory?.Path);

    /// <summary>The address of the store, or the path of the directory.</summary>
    public override string ToString() => Store?.Location.ToString() ?? Home.Path;
}
