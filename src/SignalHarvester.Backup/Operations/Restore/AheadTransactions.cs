using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// The newest transactions of a stream whose times are still to come: the clock was ahead for a while. Times of a stream never go back, so all later
/// transactions have the same time until it has come, and no moment tells them apart.
/// </summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last transaction.</param>
/// <param name="Until">The time that the last one has.</param>
public sealed record AheadTransactions(long First, long Last, DateTimeOffset Until)
{
    // Two clocks that are right differ by less.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>Finds those that a restore to a moment may have passed over, although they were committed before it.</summary>
    /// <param name="store">Where the backups and the stream are.</param>
    /// <param name="moment">The moment.</param>
    /// <param name="backup">The ordinary backup that was found for it.</param>
    /// <param name="transaction">The transaction that was found on top of it; null if the backup itself is restored.</param>
    /// <param name="context">Clock, cancellation, and the secrets for an encrypted stream.</param>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong; the Cloud… errors.</exception>
    public static AheadTransactions? PassedOver(
        StoreCatalog store, DateTimeOffset moment, BackupMetadata backup, long? transaction, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(backup);
        ArgumentNullException.ThrowIfNull(context);
        if (backup.DatabasePath is null || FindAsync(store, backup.DatabasePath, context).GetAwaiter().GetResult() is not var (ahead, newest)
            || moment >= ahead.Until)
        {
            return null;
        }

        // If the transaction after it has a time that can be believed, nothing was passed over. The number of a backup may be that of another stream.
        var isPassed = transaction is { } found
            ? found < ahead.Last && found + 1 >= ahead.First
            : StreamPosition.Of(backup) is not { } position || position.Transaction != ahead.Last || !newest.Confirms(position);
        return isPassed ? ahead : null;
    }

    private static async Task<(AheadTransactions Found, SegmentHeader Newest)?> FindAsync(StoreCatalog store, string databasePath, OperationContext context)
    {
        using var stream = StreamStore.Open(store.Location, databasePath, store.Store.Options);
        var segments = await stream.ListAsync(timeline: null, fromNumber: 1, context.Cancellation).ToListAsync(context.Cancellation).ConfigureAwait(false);
        var edge = context.Clock.GetUtcNow() + Skew;
        var newest = await LastUpToAsync(segments.Count - 1, -1).ConfigureAwait(false);
        if (newest is null || newest.Time <= edge)
        {
            return null;
        }

        var (low, high, first) = (-1, segments.Count, newest);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (await LastUpToAsync(middle, low).ConfigureAwait(false) is { } header && header.Time > edge)
            {
                (high, first) = (middle, header);
            }
            else
            {
                low = middle;
            }
        }

        var number = first.Commits.FirstOrDefault(commit => commit.Time > edge)?.Number ?? first.FirstTransaction;
        return (new AheadTransactions(number, newest.LastTransaction, newest.Time), newest);

        // The time of a seal is that of another clock, and a segment that cannot be read says nothing.
        async Task<SegmentHeader?> LastUpToAsync(int index, int end)
        {
            for (; index > end; index--)
            {
                try
                {
                    var header = await stream.ReadHeaderAsync(segments[index], context.Identities, context.Cancellation).ConfigureAwait(false);
                    if (header.Kind != SegmentKind.Seal)
                    {
                        return header;
                    }
                }
                catch (BackupException exception) when (StreamHole.IsOf(exception))
                {
                }
            }

            return null;
        }
    }
}
