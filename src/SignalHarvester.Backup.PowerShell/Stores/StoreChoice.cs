using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>Chooses the object stores of a command: by its parameters, the backup or the configuration.</summary>
/// <param name="given">The parameters.</param>
/// <param name="named">The texts of -From or -To: names of stores, addresses, or folders' paths.</param>
/// <param name="settings">The configuration.</param>
/// <param name="fullPath">Makes a path of the session absolute.</param>
/// <param name="isBound">Whether a parameter was given.</param>
internal sealed class StoreChoice(
    StoreParameters given, IReadOnlyList<string> named, BackupSettings settings, Func<string, string> fullPath, Func<string, bool> isBound)
{
    /// <summary>The location that the parameters name, alone or together with the configuration; null if they name none.</summary>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round; an unknown name; several names.</exception>
    public StoreLocation? Named => AllNamed switch
    {
        [] => null,
        [var one] => one,
        _ => throw BackupException.InvalidArgument(Option[1..], "This works on one store. Give one."),
    };

    /// <summary>The locations that the parameters name; none if they name none.</summary>
    /// <exception cref="BackupException">InvalidArgument: as for one; or they name a store in both ways.</exception>
    public IReadOnlyList<StoreLocation> AllNamed =>
        named.Count == 0
            ? (given.Location(fullPath) ?? (given.Provider is { } provider ? ConfiguredOf(provider) : null)) is { } location ? [location] : []
        : given is { Provider: null, Container: null }
            ? [.. named.Select(text => given.Over(StoreNames.Find(text, settings, fullPath).Location, isBound)).Distinct()]
        : throw BackupException.InvalidArgument(
            Option[1..], "A store is named twice: by its name or address, and by -Provider or -Container. Give one of them.");

    /// <summary>The location that the parameters name, else the only enabled one of the configuration; null if there is none, or several.</summary>
    /// <exception cref="BackupException">InvalidArgument: as for a named one.</exception>
    public StoreLocation? NamedOrOnly => Named ?? (Enabled is [var only] ? given.Over(only.Location, isBound) : null);

    /// <summary>The locations to which each new backup is sent.</summary>
    public IReadOnlyList<StoreLocation> AfterBackup => [.. Enabled.Where(store => store.UploadAfterBackup).Select(store => store.Location)];

    /// <summary>The locations for a requested upload: the named ones, else all enabled ones.</summary>
    /// <exception cref="BackupException">InvalidArgument: there is none.</exception>
    public IReadOnlyList<StoreLocation> ForUpload =>
        AllNamed is [_, ..] all ? all : Enabled is [_, ..] ? [.. Enabled.Select(store => given.Over(store.Location, isBound))] : [Choose(null)];

    /// <summary>The one location for continuous protection: the named one, else that of its settings, else the only enabled one.</summary>
    /// <exception cref="BackupException">InvalidArgument: there is none, or several.</exception>
    public StoreLocation ForStream =>
        AllNamed.Count == 0 && settings.Continuous.Store is { } name ? given.Over(StoreNames.Require(name, settings).Location, isBound)
        : ForUpload is [var only] ? only
        : throw BackupException.InvalidArgument(
            Option[1..], $"Transactions go to one store. Give it with {Option}, or name it in the configuration with app.backup.continuous.store.");

    private List<ObjectStoreSettings> Enabled => [.. settings.Stores.Where(store => store.Enabled)];

    /// <summary>
    /// Returns the location that the parameters name, else the one that listed the backup, else that of its first copy, else the only
    /// configured one.
    /// </summary>
    /// <param name="backup">The backup concerned, if it is known.</param>
    /// <exception cref="BackupException">InvalidArgument: no location is named, or several are possible.</exception>
    public StoreLocation Choose(BackupMetadata? backup) =>
        Named ?? backup?.Location ?? (backup is { Copies: [var first, ..] } ? LocationOf(first) : null) ?? NamedOrOnly ?? throw BackupException.InvalidArgument(
            backup?.Id ?? Option[1..],
            Enabled.Count > 1
                ? $"Several stores are enabled in the configuration. Give one of them: {string.Join(", ", Enabled.Select(store => $"{Option} {store.Name}"))}."
            : backup is null
                ? $"No store was given. Give one with {Option}: its name in the configuration, an address such as s3://bucket/prefix/, or a folder's path. New-SHBackupStore gives a store a name."
                : $"'{backup.Id}' has no known copy in an object store. Give the store with {Option}, or send the backup there with Send-SHBackup.");

    /// <summary>Returns the locations of a backup's copies: the one that the parameters name, else all recorded ones.</summary>
    /// <exception cref="BackupException">InvalidArgument: as for a named one.</exception>
    public IReadOnlyList<StoreLocation> CopiesOf(BackupMetadata backup) => Named is { } location ? [location] : [.. backup.Copies.Select(LocationOf)];

    /// <summary>Returns the options of a location.</summary>
    public StoreOptions OptionsOf(StoreLocation location) =>
        given.Over(ConfigurationOf(location)?.Options ?? new StoreOptions { BandwidthLimit = settings.BandwidthLimit }, isBound);

    /// <summary>Whether a missing bucket, container or folder is created.</summary>
    public bool CreatesContainer(StoreLocation location) => given is UploadParameters upload && isBound(nameof(UploadParameters.CreateContainer))
        ? upload.CreateContainer
        : ConfigurationOf(location)?.CreateContainer == true;

    private string Option => given is UploadParameters ? "-To" : "-From";

    private StoreLocation ConfiguredOf(CloudProvider provider)
    {
        var stores = settings.Stores.Where(store => store.Location.Provider == provider).ToList();
        return (stores.Find(store => StoreNames.AreSame(store.Name, provider.ToString())) ?? (stores is [var only] ? only : null)) is { } store
            ? given.Over(store.Location, isBound)
            : throw BackupException.InvalidArgument(
                nameof(StoreParameters.Container),
                stores.Count > 0
                    ? $"The configuration has several stores of {provider}. Give one of them: {string.Join(", ", stores.Select(store => $"{Option} {store.Name}"))}."
                    : $"Give both -Provider and -Container (or -Bucket): together they name the place. -Provider alone uses a place from the configuration, which has none for {provider}.");
    }

    /// <summary>The stores that the parameters mean, as they are configured.</summary>
    private IEnumerable<ObjectStoreSettings> Meant =>
        named.Count > 0 ? named.Select(text => StoreNames.Find(text, settings, fullPath))
        : given is { Container: null, Provider: { } provider } ? settings.Stores.Where(store => store.Location.Provider == provider)
        : given.Container is null ? Enabled
        : [];

    /// <summary>
    /// The configuration of a place: of the store that was meant, whatever parameters override of it; else of exactly this place; else of
    /// the only store in the same bucket, container or folder of the same server.
    /// </summary>
    private ObjectStoreSettings? ConfigurationOf(StoreLocation location) =>
        Meant.FirstOrDefault(store => given.Over(store.Location, isBound) == location)
        ?? settings.Stores.FirstOrDefault(store => store.Location == location)
        ?? (settings.Stores.Where(store => store.Location with { Prefix = location.Prefix, Region = location.Region, Profile = location.Profile } == location)
            .ToList() is [var only] ? only : null);

    /// <summary>Returns the location of a copy. The copy does not record a profile of credentials, but the configuration may have one.</summary>
    private StoreLocation LocationOf(BackupCopy copy)
    {
        var location = copy.ToLocation();
        return location with { Profile = (settings.Stores.FirstOrDefault(store => copy.IsIn(store.Location)) ?? ConfigurationOf(location))?.Location.Profile };
    }
}
