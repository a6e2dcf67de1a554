using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>The object stores that one command can mean: by its parameters, by the backup, by the configuration.</summary>
/// <param name="given">The parameters.</param>
/// <param name="settings">The configuration.</param>
/// <param name="fullPath">Makes a path of the session absolute.</param>
/// <param name="isBound">Whether a parameter was given.</param>
internal sealed class StoreChoice(StoreParameters given, BackupSettings settings, Func<string, string> fullPath, Func<string, bool> isBound)
{
    /// <summary>The place that the parameters name, by themselves or with the configuration's help; null if they name none.</summary>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round.</exception>
    public StoreLocation? Named => given.Location(fullPath) ?? (given.Provider is { } provider ? ConfiguredOf(provider) : null);

    /// <summary>The place that the parameters name, else the only one that is switched on in the configuration; null for none, or for several.</summary>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round.</exception>
    public StoreLocation? NamedOrOnly => Named ?? (Enabled is [var only] ? given.Over(only.Location, isBound) : null);

    /// <summary>The places that each new backup is sent to.</summary>
    public IReadOnlyList<StoreLocation> AfterBackup => [.. Enabled.Where(store => store.UploadAfterBackup).Select(store => store.Location)];

    /// <summary>The places that a backup is sent to where it is asked for: the one that is named, else all that are switched on.</summary>
    /// <exception cref="BackupException">InvalidArgument: there is none.</exception>
    public IReadOnlyList<StoreLocation> ForUpload =>
        Named is { } named ? [named] : Enabled is [_, ..] ? [.. Enabled.Select(store => given.Over(store.Location, isBound))] : [Choose(null)];

    private List<ObjectStoreSettings> Enabled => [.. settings.Stores.Where(store => store.Enabled)];

    /// <summary>
    /// The place that the parameters name, else the one that a backup was listed from, else that of its first copy, else the
    /// only one that is configured.
    /// </summary>
    /// <param name="backup">The backup concerned, if it is known.</param>
    /// <exception cref="BackupException">InvalidArgument: no place is named, or several may be meant.</exception>
    public StoreLocation Choose(BackupMetadata? backup) =>
        Named ?? backup?.Location ?? (backup is { Copies: [var first, ..] } ? LocationOf(first) : null) ?? NamedOrOnly ?? throw BackupException.InvalidArgument(
            backup?.Id ?? nameof(StoreParameters.Provider),
            Enabled.Count > 1
                ? $"Several object stores are enabled in the configuration ({string.Join(", ", Enabled.Select(store => store.Location.Provider))}). Give one of them with -Provider."
            : backup is null
                ? "No object store was given. Give -Provider and -Container (or -Bucket), or enable one in the configuration."
                : $"'{backup.Id}' has no known copy in an object store. Give -Provider and -Container (or -Bucket), or send it there with Send-SHBackup.");

    /// <summary>The places that copies of a backup are in: the one that the parameters name, else all that are recorded.</summary>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round.</exception>
    public IReadOnlyList<StoreLocation> CopiesOf(BackupMetadata backup) => Named is { } named ? [named] : [.. backup.Copies.Select(LocationOf)];

    /// <summary>How a place is used.</summary>
    public StoreOptions OptionsOf(StoreLocation location) =>
        given.Over(ConfigurationOf(location)?.Options ?? new StoreOptions { BandwidthLimit = settings.BandwidthLimit }, isBound);

    /// <summary>Whether a place that is missing is made.</summary>
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

    /// <summary>Where a copy is. It does not record a profile of credentials; the configuration may know one.</summary>
    private StoreLocation LocationOf(BackupCopy copy)
    {
        var location = copy.ToLocation();
        return location with { Profile = ConfigurationOf(location)?.Location.Profile };
    }
}
