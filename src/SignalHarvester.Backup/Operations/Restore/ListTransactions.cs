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
        TellMissing(segments, stream.Location, failed);
        foreach (var some in segments.Chunk(MostReadsAtOnce))
        {
            // All of them have ended, failed or not, before one that failed ends the listing.
            var headers = await Task.WhenAll(some.Select(segment => ReadAsync(stream, segment, failed, context, cancellation))).ConfigureAwait(false);
            foreach (var (segment, header) in some.Zip(headers).Where(pair => pair.Second is not null))
            {
                foreach (var transaction in TransactionsOf(segment, header!, databasePath, store.Location))
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

    /// <summary>Numbers have no holes, but for what retention has taken from the beginning.</summary>
    private static void TellMissing(List<StoredSegment> newestFirst, StoreLocation location, Action<BackupException> failed)
    {
        foreach (var (later, earlier) in newestFirst.Zip(newestFirst.Skip(1)))
        {
            if (later.Name.Timeline == earlier.Name.Timeline && later.Name.Number > earlier.Name.Number + 1)
            {
                failed(new BackupException(
                    BackupErrorId.StreamHole, location.ToString(),
                    $"The segments between '{earlier.Name}' and '{later.Name}' are missing in '{location}', so their transactions are not listed, and those after them cannot be restored up to the next ordinary backup. Restore-SHBackup -Transaction names the nearest ones that can."));
            }
        }
    }

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
                Pages = commit.Pages,
                Size = (long)(segment.Info.Length * (double)commit.Pages / all),
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
                Segment = segment.Name.ToString(),
                BackupId = header.BackupId,
                DatabasePath = databasePath,
                Store = store,
            };
        }
    }
}
