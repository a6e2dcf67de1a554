using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.PowerShell.Cloud;

/// <summary>The object stores that one command reaches, each opened once.</summary>
internal sealed class RemoteSession : IDisposable
{
    private readonly Dictionary<CloudLocation, RemoteCatalog> open = [];

    /// <summary>The place that the parameters name, else the one that a backup was listed from, else that of its first copy.</summary>
    /// <param name="given">What the parameters name.</param>
    /// <param name="backup">The backup concerned, if it is known.</param>
    /// <exception cref="BackupException">InvalidArgument: no place is named.</exception>
    public static CloudLocation Choose(CloudLocation? given, BackupMetadata? backup) =>
        given ?? backup?.Location ?? (backup is { Copies: [var first, ..] } ? LocationOf(first) : null) ?? throw new BackupException(
            BackupErrorId.InvalidArgument,
            BackupErrorCategory.InvalidArgument,
            backup?.Id ?? nameof(CloudParameters.Provider),
            backup is null
                ? "Which object store is meant was not said. Give -Provider and -Container (or -Bucket)."
                : $"'{backup.Id}' has no copy in an object store that is known here. Give -Provider and -Container (or -Bucket), or send it there with Send-SHBackup.");

    /// <summary>Opens a place, or gives it again.</summary>
    /// <exception cref="BackupException">InvalidArgument: the place makes no sense.</exception>
    public RemoteCatalog Open(CloudLocation location, ObjectStorage.StoreOptions options)
    {
        if (!open.TryGetValue(location, out var catalog))
        {
            open[location] = catalog = new RemoteCatalog(location, options, TimeProvider.System);
        }

        return catalog;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var catalog in open.Values)
        {
            catalog.Dispose();
        }

        open.Clear();
    }

    private static CloudLocation LocationOf(BackupCopy copy) => new()
    {
        Provider = copy.Provider,
        Container = copy.Container,
        Prefix = copy.Prefix,
        Endpoint = copy.Endpoint is null ? null : new Uri(copy.Endpoint),
        Region = copy.Region,
        UsePathStyle = copy.UsePathStyle,
        AccountName = copy.AccountName,
    };
}
