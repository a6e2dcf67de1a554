using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>Chooses the object stores of a command: by its parameters, the backup or the configuration.</summary>
/// <param name="given">The parameters.</param>
/// <param name="settings">The configuration.</param>
/// <param name="fullPath">Makes a path of the session absolute.</param>
/// <param name="isBound">Whether a parameter was given.</param>
internal sealed class StoreChoice(StoreParameters given, BackupSettings settings, Func<string, string> fullPath, Func<string, bool> isBound)
{
    /// <summary>The location that the parameters name, alone or together with the configuration; null if they name none.</summary>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round.</exception>
    public StoreLocation? Named => given.Location(fullPath) ?? (given.Provider is { } provider ? ConfiguredOf(provider) : null);

    /// <summary>The location that the parameters name, else the only enabled one of the configuration; null if there is none, or several.</summary>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round.</exception>
    public StoreLocation? NamedOrOnly => Named ?? (Enabled is [var only] ? given.Over(only.Location, isBound) : null);

    /// <summary>The locations to which each new backup is sent.</summary>
    public IReadOnlyList<StoreLocation> AfterBackup => [.. Enabled.Where(store => store.UploadAfterBackup).Select(store => store.Location)];

    /// <summary>The locations for a requested upload: the named one, else all enabled ones.</summary>
    /// <exception cref="BackupException">InvalidArgument: there is none.</exception>
    public IReadOnlyList<StoreLocation> ForUpload =>
        Named is { } named ? [named] : Enabled is [_, ..] ? [.. Enabled.Select(store => given.Over(store.Location, isBound))] : [Choose(null)];

    private List<ObjectStoreSettings> Enabled => [.. settings.Stores.Where(store => store.Enabled)];

    /// <summary>
    /// Returns the location that the parameters name, else the one that listed the backup, else that of its first copy, else the only
    /// configured one.
    /// </summary>
    /// <param name="backup">The backup concerned, if it is known.</param>
    /// <exception cref="BackupException">InvalidArgument: no location is named, or several are possible.</exception>
    public StoreLocation Choose(BackupMetadata? backup) =>
        Named ?? backup?.Location ?? (backup is { Copies: [var first, ..] } ? LocationOf(first) : null) ?? NamedOrOnly ?? throw BackupException.InvalidArgument(
            backup?.Id ?? nameof(StoreParameters.Provider),
            Enabled.Count > 1
                ? $"Several object stores are enabled in the configuration ({string.Join(", ", Enabled.Select(store => store.Location.Provider))}). Give one of them with -Provider."
            : backup is null
                ? "No object store was given. Give -Provider and -Container (or -Bucket), or enable one in the configuration."
                : $"'{backup.Id}' has no known copy in an object store. Give -Provider and -Container (or -Bucket), or send it there with Send-SHBackup.");

    /// <summary>Returns the locations of a backup's copies: the one that the parameters name, else all recorded ones.</summary>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round.</exception>
    public IReadOnlyList<StoreLocation> CopiesOf(BackupMetadata backup) => Named is { } named ? [named] : [.. backup.Copies.Select(LocationOf)];

    /// <summary>Returns the options of a location.</summary>
    public StoreOptions OptionsOf(StoreLocation location) =>
        given.Over(ConfigurationOf(location)?.Options ?? new StoreOptions { BandwidthLimit = settings.BandwidthLimit }, isBound);

    /// <summary>Whether a missing bucket, container or folder is created.</summary>
    public bool CreatesContainer(StoreLocation location) => given is UploadParameters upload && isBound(nameof(UploadParameters.CreateContainer))
        ? upload.CreateContainer
        : ConfigurationOf(location)?.CreateContainer == true;

    private StoreLocation ConfiguredOf(CloudProvider provider) => settings.Stores.FirstOrDefault(store => store.Location.Provider == provider) is { } store
        ? given.Over(store.Location, isBound)
        : throw BackupException.InvalidArgument(
            nameof(StoreParameters.Container),
            $"Give both -Provider and -Container (or -Bucket): together they name the place. -Provider alone uses a place from the configuration, which has none for {provider}.");

    private ObjectStoreSettings? ConfigurationOf(StoreLocation location) =>
        settings.Stores.FirstOrDefault(store => store.Location.Provider == location.Provider && store.Location.Container == location.Container);

    /// <summary>Returns the location of a copy. The copy does not record a profile of credentials, but the configuration may have one.</summary>
    private StoreLocation LocationOf(BackupCopy copy)
    {
        var location = copy.ToLocation();
        return location with { Profile = ConfigurationOf(location)?.Location.Profile };
    }
}
