using SignalHarvester.Backup.Catalog;

namespace SignalHarvester.Backup.PowerShell.Cloud;

/// <summary>The object stores that one command reaches, each opened once.</summary>
internal sealed class RemoteSession : IDisposable
{
    private readonly Dictionary<CloudLocation, RemoteCatalog> open = [];

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
}
