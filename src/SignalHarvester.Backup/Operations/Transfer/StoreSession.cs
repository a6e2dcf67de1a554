using System.Collections.Concurrent;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Transfer;

/// <summary>The object stores of one run. Each is opened once, and prepared once before the first backup is sent there.</summary>
/// <param name="clock">The clock for ages.</param>
public sealed class StoreSession(TimeProvider clock) : IDisposable
{
    private readonly ConcurrentDictionary<StoreLocation, Lazy<StoreCatalog>> open = [];
    private readonly HashSet<StoreCatalog> ready = [];
    private readonly Lock preparing = new();

    /// <summary>Opens a store, or returns the open one, without contacting it.</summary>
    /// <exception cref="BackupException">InvalidArgument: the location is not a store.</exception>
    public StoreCatalog Open(StoreLocation location, StoreOptions options) =>
        open.GetOrAdd(location, _ => new Lazy<StoreCatalog>(() => new StoreCatalog(location, options, clock))).Value;

    /// <summary>
    /// Makes sure that a store can receive backups, and cancels the uploads that nobody has resumed for a week. A failure is not
    /// remembered, so the next call tries again.
    /// </summary>
    /// <param name="store">The store, opened here.</param>
    /// <param name="create">Whether a missing bucket or container is created.</param>
    /// <param name="context">Messages, cancellation.</param>
    /// <exception cref="BackupException">InvalidArgument: the prefix is too long. The Cloud… errors.</exception>
    public void Prepare(StoreCatalog store, bool create, OperationContext context)
    {
        lock (preparing)
        {
            if (!ready.Contains(store))
            {
                store.RequireContainer(create, context.Cancellation);
                SendBackup.CleanUp(store, context);
                ready.Add(store);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var store in open.Values.Where(store => store.IsValueCreated))
        {
            store.Value.Dispose();
        }

        open.Clear();
    }
}
