using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// The ordinary backups in a store from which streams lead on, for all protections of a process: the store, which may have the backups of a thousand
/// databases, is listed once for all of them, and no sidecar is read twice.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="context">Clock; its cancellation stops a listing.</param>
internal sealed class StoredStarts(StoreCatalog store, OperationContext context)
{
    private readonly Lock gate = new();
    private IReadOnlyDictionary<ObjectInfo, StoreSummary<StoredStart?>> known = new Dictionary<ObjectInfo, StoreSummary<StoredStart?>>();
    private Task<ILookup<string, StoredStart>>? listing;
    private bool hasBegun;
    private long began;

    /// <summary>Returns those of a stream.</summary>
    /// <param name="stream">The stream, by its random name.</param>
    /// <param name="age">How long ago the store may have been listed. A listing that failed within that time has failed for all.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public async Task<IEnumerable<StoredStart>> OfAsync(string stream, TimeSpan age, CancellationToken cancellation)
    {
        Task<ILookup<string, StoredStart>> current;
        lock (gate)
        {
            // One that waits for the former to end will see what is there now.
            if (listing is null || (hasBegun && context.Clock.GetElapsedTime(began) > age))
            {
                hasBegun = false;
                listing = ListAsync(listing);
            }

            current = listing;
        }

        return (await current.WaitAsync(cancellation).ConfigureAwait(false))[stream];
    }

    private async Task<ILookup<string, StoredStart>> ListAsync(Task? former)
    {
        // Its caller holds the gate.
        await Task.Yield();
        await (former ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            (hasBegun, began) = (true, context.Clock.GetTimestamp());
        }

        known = await store.SummarizeAsync(Summarize, known, context.Cancellation).ConfigureAwait(false);
        return known.Values.Select(summary => summary.Value).OfType<StoredStart>().ToLookup(start => start.Position.Stream, StringComparer.Ordinal);
    }

    private static StoredStart? Summarize(BackupMetadata backup) =>
        backup is { IsSafety: false, IsSourceCorrupt: false } && StreamPosition.Of(backup) is { } position ? new StoredStart(backup.Id, position) : null;
}
