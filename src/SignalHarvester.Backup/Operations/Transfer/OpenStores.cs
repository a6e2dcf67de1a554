using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Transfer;

/// <summary>The object stores of one run, each looked at once, whichever database is the first to need it.</summary>
internal sealed class OpenStores : IDisposable
{
    private readonly Dictionary<CloudLocation, Lazy<RemoteCatalog>> stores;
    private readonly Dictionary<CloudLocation, Lazy<bool>> prepared;

    /// <summary>Names the stores; nothing is asked of them yet.</summary>
    public OpenStores(IReadOnlyList<ObjectStoreSettings> settings, OperationContext context)
    {
        var distinct = settings.DistinctBy(store => store.Location).ToList();
        stores = distinct.ToDictionary(store => store.Location, store => new Lazy<RemoteCatalog>(() => new RemoteCatalog(store.Location, store.Options, context.Clock)));

        // A failure is not kept: the next database tries again.
        prepared = distinct.ToDictionary(store => store.Location, store => new Lazy<bool>(() => Ready(store, context), LazyThreadSafetyMode.PublicationOnly));
    }

    /// <summary>A store; nothing is asked of it yet.</summary>
    /// <exception cref="BackupException">InvalidArgument: the place makes no sense.</exception>
    public RemoteCatalog Of(ObjectStoreSettings store) => stores[store.Location].Value;

    /// <summary>Makes sure that a store can be sent to.</summary>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public void Prepare(ObjectStoreSettings store) => _ = prepared[store.Location].Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var store in stores.Values.Where(store => store.IsValueCreated))
        {
            store.Value.Dispose();
        }
    }

    private bool Ready(ObjectStoreSettings store, OperationContext context)
    {
        var remote = Of(store);
        remote.RequireContainer(store.CreateContainer, context.Cancellation);
        SendBackup.CleanUp(remote, context);
        return true;
    }
}
