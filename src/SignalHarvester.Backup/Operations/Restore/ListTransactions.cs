using System.Runtime.CompilerServices;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>Lists the transactions of a stream, the newest first, from the headers of its segments.</summary>
public static class ListTransactions
{
    private const int MostReadsAtOnce = 16;

    /// <summary>Lists transactions. The segments are read as the caller asks for more.</summary>
    /// <param name="store">Where the backups and the stream are.</param>
    /// <param name="databasePath">The database.</param>
    /// <param name="after">Only those at this moment or later; null for all.</param>
    /// <param name="before">Only those before this moment; null for all.</param>
    /// <param name="failed">Called for each segment that cannot be read; the listing goes on.</param>
    /// <param name="context">Cancellation, and the secrets for an encrypted stream.</param>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong; the Cloud… errors.</exception>
    public static IEnumerable<BackupTransaction> Run(
        StoreCatalog store, string databasePath, DateTimeOffset? after, DateTimeOffset? before, Action<BackupException> failed, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(context);
        return RunAsync(store, databasePath, after, before, failed, context, context.Cancellation).ToBlockingEnumerable(context.Cancellation);
    }

    private static async IAsyncEnumerable<BackupTransaction> RunAsync(
        StoreCatalog store,
        string databasePath,
        DateTimeOffset? after,
        DateTimeOffset? before,
        Action<BackupException> failed,
        OperationContext context,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stream = StreamStore.Open(store.Location, databasePath, store.Store.Options);
        var segments = await stream.ListAsync(timeline: null, fromNumber: 1, cancellation).ToListAsync(cancellation).ConfigureAwait(false);
        segments.Reverse();
        SegmentName? later = null;
        foreach (var some in segments.Chunk(MostReadsAtOnce))
        {
            // All of them have ended, failed or not, before one that failed ends the listing.
            var headers = await Task.WhenAll(some.Select(segment => ReadAsync(stream, segment, failed, context, cancellation))).ConfigureAwait(false);
            foreach (var (segment, header) in some.Zip(headers))
            {
                if (later is not null && Missing(segment.Name, later, stream.Location) is { } missing)
                {
                    failed(missing);
                }

                later = segment.Name;
                foreach (var transaction in header is null ? [] : TransactionsOf(segment, header, databasePath, store.Location))
                {
                    if (after is not null && transaction.Timestamp < after)
                    {
                        yield break;
                    }

                    if (before is null || transaction.Timestamp < before)
                    {
                        yield return transaction;
                    }
                }
            }
        }
    }

    /// <summary>The error for segments that are missing between two others; null if none are. Retention takes them from the beginning alone.</summary>
    private static BackupException? Missing(SegmentName earlier, SegmentName later, StoreLocation location) =>
        later.Timeline == earlier.Timeline && later.Number > earlier.Number + 1
            ? new BackupException(
                BackupErrorId.StreamHole, location.ToString(),
                $"The segments between '{earlier}' and '{later}' are missing in '{location}', so their transactions are not listed, and those after them cannot be restored up to the next ordinary backup. Restore-SHBackup -Transaction names the nearest ones that can.")
            : null;

    private static async Task<SegmentHeader?> ReadAsync(
        StreamStore stream, StoredSegment segment, Action<BackupException> failed, OperationContext context, CancellationToken cancellation)
    {
        try
        {
            return await stream.ReadHeaderAsync(segment, context.Identities, cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (StreamHole.IsGone(exception))
        {
            // Retention has taken it since the names were listed.
            return null;
        }
        catch (BackupException exception) when (StreamHole.IsOf(exception))
        {
            failed(exception);
            return null;
        }
    }

    private static IEnumerable<BackupTransaction> TransactionsOf(StoredSegment segment, SegmentHeader header, string databasePath, StoreLocation store)
    {
        var all = header.Commits.Sum(commit => commit.Pages);
        foreach (var commit in header.Commits.Reverse())
        {
            yield return new BackupTransaction
            {
                Transaction = commit.Number,
                FirstTransaction = commit.Number,
                Timestamp = commit.Time,
                Earliest = commit.Earliest,
                Pages = commit.Pages,
                Size = (long)(segment.Info.Length * (double)commit.Pages / all),
                Timeline = header.Timeline,
                Segment = segment.Name.ToString(),
                DatabasePath = databasePath,
                Store = store,
            };
        }

        // What a stream begins with can be restored as well; of a base without transactions elsewhere, the one before it is listed already.
        if (header.Kind == SegmentKind.Base && (header.FirstTransaction <= header.LastTransaction || header.Reason == BaseReason.Start))
        {
            yield return new BackupTransaction
            {
                Transaction = header.LastTransaction,
                FirstTransaction = Math.Min(header.FirstTransaction, header.LastTransaction),
                Timestamp = header.Time,
                Timeline = header.Timeline,
                Segment = segment.Name.ToString(),
                BackupId = header.BackupId,
                DatabasePath = databasePath,
                Store = store,
            };
        }
    }
}
