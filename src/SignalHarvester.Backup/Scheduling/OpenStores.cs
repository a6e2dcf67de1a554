using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>The object stores of one run, each looked at once, whichever database is the first to need it.</summary>
internal sealed class OpenStores : IDisposable
{
    private readonly Dictionary<CloudLocation, Lazy<RemoteCatalog>> stores;

    /// <summary>Names the stores; nothing is asked of them yet.</summary>
    public OpenStores(IReadOnlyList<ObjectStoreSettings> settings, OperationContext context)
    {
        stores = settings.DistinctBy(store => store.Location).ToDictionary(
            store => store.Location,
            // A failure is not kept: the next database tries again.
            store => new Lazy<RemoteCatalog>(() => Ready(store, context), LazyThreadSafetyMode.PublicationOnly));
    }

    /// <summary>A store that can be sent to.</summary>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public RemoteCatalog Open(ObjectStoreSettings store) => stores[store.Location].Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var store in stores.Values.Where(store => store.IsValueCreated))
        {
            store.Value.Dispose();
        }
    }

    private static RemoteCatalog Ready(ObjectStoreSettings settings, OperationContext context)
    {
        var remote = new RemoteCatalog(settings.Location, settings.Options, context.Clock);
        try
        {
            remote.RequireContainer(settings.CreateContainer, context.Cancellation);
            SendBackup.CleanUp(remote, context);
            return remote;
        }
        catch
        {
            remote.Dispose();
            throw;
        }
    }
}
