using System.Collections.Concurrent;
using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// Finds out how a transaction of a stream is restored: from the newest usable ordinary backup at or before it, and the segments from there on.
/// The names of the segments are listed; which one holds a moment, a search in their headers finds. A backup counts only if the stream itself has
/// the state that it claims: its number alone may be that of another store's stream, or may have been given again after a crash.
/// </summary>
public sealed class StreamPlanner
{
    private const int MostReadsAtOnce = 16;

    // Looks of a machine that is busy are this far apart.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(2);

    private readonly StreamStore stream;
    private readonly OperationContext context;
    private readonly List<StreamStart> starts;
    private readonly List<StoredSegment> segments;
    private readonly ConcurrentDictionary<StoredSegment, SegmentHeader?> headers = [];

    private StreamPlanner(StreamStore stream, List<StreamStart> starts, List<StoredSegment> segments, OperationContext context)
    {
        this.stream = stream;
        this.starts = starts;
        this.segments = segments;
        this.context = context;
    }

    /// <summary>Whether a backup has a place in a stream, from which transactions in a store lead on.</summary>
    public static bool IsOfStream(BackupMetadata backup) => StreamPosition.Of(backup) is not null;

    /// <summary>Plans the restore of the last transaction at or before a moment. It warns of transactions that no moment finds.</summary>
    /// <param name="store">Where the backups and the stream are.</param>
    /// <param name="backups">The backups of the database there, with their depths.</param>
    /// <param name="moment">The moment.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for an encrypted stream.</param>
    /// <returns>Null if an ordinary backup is as near to the moment, or there is no stream.</returns>
    /// <exception cref="BackupException">StreamHole; IdentityMissing, IdentityWrong; the Cloud… errors.</exception>
    public static StreamPlan? AtMoment(StoreCatalog store, IReadOnlyCollection<BackupMetadata> backups, DateTimeOffset moment, OperationContext context) =>
        Run(store, backups, context, async planner =>
        {
            var plan = await planner.AtMomentAsync(moment).ConfigureAwait(false);
            var nearest = Usable(backups, context.Clock.GetUtcNow()).Where(backup => backup.Timestamp <= moment).NewestFirst().FirstOrDefault();
            if (plan is null)
            {
                await planner.RefuseUnreachableAsync(moment, nearest).ConfigureAwait(false);
                planner.WarnOfMissing(nearest);
            }

            if (planner.starts.Count == 0)
            {
                return null;
            }

            plan = plan is null || nearest is null || planner.IsAfter(plan, nearest) ? plan : null;
            var found = plan?.Transaction ?? planner.StartOf(nearest)?.Position.Transaction;
            await planner.WarnOfClockAsync(moment, found).ConfigureAwait(false);
            await planner.WarnOfUnseenAsync(moment).ConfigureAwait(false);
            return plan;
        });

    /// <summary>Plans the restore of the newest transaction.</summary>
    /// <param name="store">Where the backups and the stream are.</param>
    /// <param name="backups">The backups of the database there, with their depths.</param>
    /// <param name="context">Clock, cancellation, and the secrets for an encrypted stream.</param>
    /// <exception cref="BackupException">TransactionNotFound: there is no stream; StreamHole; IdentityMissing, IdentityWrong; the Cloud… errors.</exception>
    public static StreamPlan Newest(StoreCatalog store, IReadOnlyCollection<BackupMetadata> backups, OperationContext context) =>
        Run(store, backups, context, async planner =>
        {
            var plan = await planner.AtMomentAsync(DateTimeOffset.MaxValue).ConfigureAwait(false);
            if (plan is null)
            {
                await planner.RefuseUnreachableAsync(DateTimeOffset.MaxValue, nearest: null).ConfigureAwait(false);
            }

            return plan;
        })
        ?? throw new BackupException(
            BackupErrorId.TransactionNotFound, store.Location.ToString(),
            $"'{store.Location}' has no backup of this database from which a stream of transactions leads on. List its backups with Get-SHBackup -From.");

    /// <summary>Plans the restore of a transaction.</summary>
    /// <param name="store">Where the backups and the stream are.</param>
    /// <param name="backups">The backups of the database there, with their depths.</param>
    /// <param name="transaction">Its number.</param>
    /// <param name="context">Clock, cancellation, and the secrets for an encrypted stream.</param>
    /// <exception cref="BackupException">TransactionNotFound; StreamHole; IdentityMissing, IdentityWrong; the Cloud… errors.</exception>
    public static StreamPlan OfTransaction(StoreCatalog store, IReadOnlyCollection<BackupMetadata> backups, long transaction, OperationContext context) =>
        Run(store, backups, context, async planner => planner.starts.Count == 0 ? null : await planner.OfTransactionAsync(transaction).ConfigureAwait(false))
        ?? throw NotFound(transaction, $"'{store.Location}' has no backup of this database from which a stream of transactions leads on");

    /// <summary>Returns the only database with a stream among those of some backups.</summary>
    /// <param name="backups">The backups in a store.</param>
    /// <param name="store">The store, for the error.</param>
    /// <exception cref="BackupException">TransactionNotFound: none has a stream. DatabaseAmbiguous: several have.</exception>
    public static string DatabaseOf(IReadOnlyCollection<BackupMetadata> backups, StoreLocation store) =>
        PointInTime.DatabasesOf(backups.Where(backup => backup.DatabasePath is not null && StreamPosition.Of(backup) is not null)) switch
        {
            [{ } single] => single,
            [] => throw new BackupException(
                BackupErrorId.TransactionNotFound, store.ToString(),
                $"'{store}' has no stream of transactions{(backups.Count == 0 ? ", and no backups of this database" : " of this database")}. Give another place with -From, or another database with -Database; Get-SHBackup lists the backups."),
            var databases => throw PointInTime.Ambiguous(null, databases),
        };

    /// <summary>The usable ordinary backups of the stream, in the order of their transactions.</summary>
    internal static List<StreamStart> Starts(IReadOnlyCollection<BackupMetadata> backups, DateTimeOffset now) =>
    [
        .. Usable(backups, now)
            .Where(backup => backup.DatabasePath is not null)
            .Select(backup => (Backup: backup, Position: StreamPosition.Of(backup)))
            .Where(start => start.Position is { } position && position.Key == DatabaseKey.Of(start.Backup.DatabasePath!))
            .Select(start => new StreamStart(start.Backup, start.Position!))
            .OrderBy(start => start.Position.Transaction).ThenBy(start => start.Position.Timeline).ThenBy(start => start.Position.Number),
    ];

    private static IEnumerable<BackupMetadata> Usable(IReadOnlyCollection<BackupMetadata> backups, DateTimeOffset now)
    {
        var known = backups.Where(backup => !backup.IsSafety).ToDictionary(backup => backup.Id, StringComparer.Ordinal);
        var health = new ChainHealth(known, now);
        return known.Values.Where(
            backup => backup is { IsRetired: false, IsSourceCorrupt: false } && !ChainHealth.IsIncomplete(backup) && !health.HasFailed(backup));
    }

    private static StreamPlan? Run(
        StoreCatalog store, IReadOnlyCollection<BackupMetadata> backups, OperationContext context, Func<StreamPlanner, Task<StreamPlan?>> plan)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(backups);
        ArgumentNullException.ThrowIfNull(context);
        var starts = Starts(backups, context.Clock.GetUtcNow());
        if (PointInTime.DatabasesOf(starts.Select(start => start.Backup)) is { Count: > 1 } databases)
        {
            throw PointInTime.Ambiguous(null, databases);
        }

        return starts.Count == 0 ? null : RunAsync().GetAwaiter().GetResult();

        async Task<StreamPlan?> RunAsync()
        {
            using var stream = StreamStore.Open(store.Location, starts[0].Backup.DatabasePath!, store.Store.Options);
            var segments = await stream.ListAsync(timeline: null, fromNumber: 1, context.Cancellation).ToListAsync(context.Cancellation).ConfigureAwait(false);
            var planner = new StreamPlanner(stream, starts, segments, context);
            await planner.ConfirmAsync().ConfigureAwait(false);
            return await plan(planner).ConfigureAwait(false);
        }
    }

    private static BackupException NotFound(long transaction, string reason) => new(
        BackupErrorId.TransactionNotFound, transaction, string.Create(
            CultureInfo.InvariantCulture,
            $"There is no transaction {transaction}: {reason}. List the transactions with Get-SHBackupTransaction."));

    private StreamStart? StartOf(BackupMetadata? backup) => starts.Find(start => start.Backup.Id == backup?.Id);

    private bool IsAfter(StreamPlan plan, BackupMetadata backup) =>
        StartOf(backup) is { } known ? plan.Transaction > known.Position.Transaction : plan.Time > backup.Timestamp;

    private async Task WarnOfClockAsync(DateTimeOffset moment, long? found)
    {
        if (await AheadTransactions.FindAsync(segments, HeaderAsync, context.Clock.GetUtcNow()).ConfigureAwait(false) is { } ahead
            && moment < ahead.Until && ahead.ArePassedOver(found))
        {
            context.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"The clock of the machine that protects '{starts[0].Backup.DatabasePath}' was ahead: transactions {ahead.First} to {ahead.Last} have times that are still to come. Times of a stream never go back, so they stand still until {ahead.Until.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, and -PointInTime does not find what was committed meanwhile. List the transactions with Get-SHBackupTransaction, and restore one by its number with -Transaction."));
        }
    }

    /// <summary>Warns of transactions that came to light after the moment, because nobody had looked since before it.</summary>
    private async Task WarnOfUnseenAsync(DateTimeOffset moment)
    {
        var next = await LastAsync(segments, header => header.Time <= moment).ConfigureAwait(false) + 1;
        List<SegmentCommit> unseen = [];
        DateTimeOffset? together = null;
        for (var isOver = false; !isOver && next < segments.Count && await HeaderAsync(segments[next]).ConfigureAwait(false) is { } header; next++)
        {
            foreach (var commit in header.Commits.Where(commit => commit.Time > moment))
            {
                // Those that came to light together have one time; after a clock that was ahead, all have, until it has come.
                together ??= commit.Time;
                isOver = commit.Time != together && commit.Earliest >= moment;
                if (isOver)
                {
                    break;
                }

                if (commit.Earliest < moment && commit.Time - commit.Earliest > LongestLook)
                {
                    unseen.Add(commit);
                }
            }
        }

        if (unseen is [var first, ..])
        {
            var numbers = unseen.Count == 1
                ? string.Create(CultureInfo.InvariantCulture, $"Transaction {first.Number}, which was")
                : string.Create(CultureInfo.InvariantCulture, $"Transactions {first.Number} to {unseen[^1].Number}, which were");
            context.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"Nobody looked at '{starts[0].Backup.DatabasePath}' from {StreamHole.Moment(unseen.Min(commit => commit.Earliest))} to {StreamHole.Moment(unseen.Max(commit => commit.Time))}: its protection was down, its machine was suspended, or its clock was wrong. {numbers} committed within that time, may be from before your moment, and missing in the restored database. If you need what was committed then, restore with -Transaction {unseen[^1].Number}."));
        }
    }

    /// <summary>Leaves only the starts whose state the stream has, too.</summary>
    private async Task ConfirmAsync()
    {
        var named = segments.ToDictionary(segment => segment.Name);
        foreach (var some in starts.Chunk(MostReadsAtOnce).ToList())
        {
            var confirmed = await Task.WhenAll(some.Select(start => IsConfirmedAsync(start.Position, named))).ConfigureAwait(false);
            foreach (var (start, _) in some.Zip(confirmed).Where(pair => !pair.Second))
            {
                _ = starts.Remove(start);
            }
        }
    }

    private async Task<bool> IsConfirmedAsync(StreamPosition position, Dictionary<SegmentName, StoredSegment> named)
    {
        // The segment with its transaction is nearly always the next one. If that cannot be read, the one before it may end there.
        for (var number = position.Number + 1; named.TryGetValue(new SegmentName(position.Timeline, number), out var segment); number++)
        {
            if (await HeaderAsync(segment).ConfigureAwait(false) is not { } header)
            {
                break;
            }

            if (header.LastTransaction >= position.Transaction)
            {
                if (header.Confirms(position.Transaction, position.Mark))
                {
                    return true;
                }

                break;
            }
        }

        return named.TryGetValue(new SegmentName(position.Timeline, position.Number), out var last)
            && await HeaderAsync(last).ConfigureAwait(false) is { } own && own.Confirms(position.Transaction, position.Mark);
    }

    /// <summary>
    /// Refuses a moment for which the stream has a transaction to which no backup leads. An ordinary backup that is older is not what was asked for.
    /// </summary>
    /// <param name="moment">The moment, at or before which no backup leads to anything.</param>
    /// <param name="nearest">The ordinary backup that would be restored; null if there is none.</param>
    private async Task RefuseUnreachableAsync(DateTimeOffset moment, BackupMetadata? nearest)
    {
        var at = await LastAsync(segments, header => (header.Commits is [var first, ..] ? first.Time : header.Time) <= moment).ConfigureAwait(false);
        SegmentCommit? commit = null;
        for (; at >= 0 && commit is null; at--)
        {
            // The backup that a base names may be on its way.
            commit = (await HeaderAsync(segments[at]).ConfigureAwait(false))?.Commits.LastOrDefault(commit => commit.Time <= moment);
        }

        if (commit?.Time is not { } time)
        {
            return;
        }

        if (nearest is null || time > (StreamPosition.Of(nearest)?.Time ?? nearest.Timestamp))
        {
            var wanted = moment == DateTimeOffset.MaxValue ? "The newest transaction" : $"The database as it was at {StreamHole.Moment(moment)}";
            var before = nearest is null
                ? "no ordinary backup is older"
                : $"the nearest ordinary backup before it is '{nearest.Id}' of {StreamHole.Moment(nearest.Timestamp)}";
            var after = starts is [var next, ..]
                ? $"the next one after it is '{next.Backup.Id}' of {StreamHole.Moment(next.Position.Time)}"
                : "there is none after it";
            throw new BackupException(
                BackupErrorId.StreamHole, moment,
                $"{wanted} cannot be restored from '{stream.Location}': the stream has a transaction of {StreamHole.Moment(time)}, but segments before it are missing, so no backup leads to it. Of the backups, {before}; {after}. Restore one of them by its id (Get-SHBackup | Restore-SHBackup).");
        }
    }

    /// <summary>Warns of a backup that is of the stream, and after which every transaction should be there, but the stream does not lead on from it.</summary>
    private void WarnOfMissing(BackupMetadata? nearest)
    {
        if (nearest is not null && StreamPosition.Of(nearest) is { } position && position.Key == DatabaseKey.Of(nearest.DatabasePath!)
            && position.Time + position.Window > context.Clock.GetUtcNow()
            && (starts.Count == 0 || starts.Exists(start => start.Position.Stream == position.Stream)))
        {
            context.Warn(
                $"The segments after '{nearest.Id}' are missing in '{stream.Location}', although each transaction since should be there: the moment may have had one that is nearer. Get-SHBackupTransaction shows what there is.");
        }
    }

    private async Task<StreamPlan?> AtMomentAsync(DateTimeOffset moment)
    {
        var index = starts.FindLastIndex(start => start.Position.Time <= moment);
        if (index < 0)
        {
            return null;
        }

        var position = starts[index].Position;
        var run = RunOf(index);
        var at = await LastAsync(run, header => (header.Commits is [var first, ..] ? first.Time : header.Time) <= moment).ConfigureAwait(false);
        var (transaction, time) = (position.Transaction, position.Time);
        if (at >= 0 && headers[run[at]] is { } header && header.LastTransaction > position.Transaction)
        {
            var commit = header.Commits.LastOrDefault(commit => commit.Time <= moment);
            (transaction, time) = commit is null ? (header.LastTransaction, header.Time) : (commit.Number, commit.Time);
        }

        // If the next segment cannot be read, it may hold a transaction that is nearer; but the moment of a transaction is always its own.
        var isLastOfItsSegment = at < 0 || headers[run[at]]!.LastTransaction <= transaction;
        if (FirstBreak(position, run) <= at || (run.Count > 0 && time < moment && isLastOfItsSegment && await IsNextUnknownAsync().ConfigureAwait(false)))
        {
            throw await HoleAsync(index, run[..Math.Min(at + 2, run.Count)], transaction + 1, moment).ConfigureAwait(false);
        }

        // What the base after it has swallowed may have been committed before the moment; but the moment of a transaction is always its own.
        if (time < moment && at + 1 < run.Count && await HeaderAsync(run[at + 1]).ConfigureAwait(false) is { Kind: SegmentKind.Base } swallowing
            && swallowing.LastTransaction > Math.Max(transaction, position.Transaction))
        {
            throw await HoleAsync(index, run[..(at + 2)], transaction + 1, moment).ConfigureAwait(false);
        }

        return Plan(index, transaction <= position.Transaction ? [] : run[..(at + 1)], Math.Max(transaction, position.Transaction), time);

        async Task<bool> IsNextUnknownAsync() => at + 1 < run.Count
            ? FirstBreak(position, run) <= at + 1 || await HeaderAsync(run[at + 1]).ConfigureAwait(false) is null
            : index + 1 < starts.Count && starts[index + 1].Position is var next && next.Timeline == run[^1].Name.Timeline && next.Number > run[^1].Name.Number;
    }

    private async Task<StreamPlan> OfTransactionAsync(long transaction)
    {
        var index = starts.FindLastIndex(start => start.Position.Transaction <= transaction);
        if (index < 0)
        {
            throw NotFound(transaction, string.Create(
                CultureInfo.InvariantCulture,
                $"the oldest one that can be restored from '{stream.Location}' is {starts[0].Position.Transaction} ({StreamHole.Moment(starts[0].Position.Time)})"));
        }

        var position = starts[index].Position;
        if (position.Transaction == transaction)
        {
            return Plan(index, [], transaction, position.Time);
        }

        var run = RunOf(index);
        var at = await LastAsync(run, header => header.FirstTransaction <= transaction).ConfigureAwait(false);
        var header = at < 0 ? null : headers[run[at]];
        var firstBreak = FirstBreak(position, run);
        if (header?.Commits.FirstOrDefault(commit => commit.Number == transaction) is { } commit && firstBreak > at)
        {
            return Plan(index, run[..(at + 1)], transaction, commit.Time);
        }

        var last = Math.Max(header?.LastTransaction ?? 0, position.Transaction);
        throw last < transaction && at + 1 == run.Count && firstBreak > at && index + 1 == starts.Count
            ? NotFound(transaction, string.Create(CultureInfo.InvariantCulture, $"the stream in '{stream.Location}' ends with transaction {last}"))
            : await HoleAsync(index, run[..Math.Min(at + 2, run.Count)], transaction).ConfigureAwait(false);
    }

    private StreamPlan Plan(int index, IReadOnlyList<StoredSegment> used, long transaction, DateTimeOffset time) =>
        new(starts[index], index + 1 < starts.Count ? starts[index + 1] : null, used, transaction, time);

    private Task<BackupException> HoleAsync(int index, IReadOnlyList<StoredSegment> run, long transaction, DateTimeOffset? moment = null) =>
        StreamHole.FindAsync(stream, Plan(index, run, transaction, starts[index].Position.Time), moment, context.Identities, context.Cancellation);

    /// <summary>
    /// The segments after a start. Where the next start is reached, names do not say: it may have been made while several segments were still waiting.
    /// </summary>
    private List<StoredSegment> RunOf(int index) => [.. segments.SkipWhile(segment => !IsBehind(segment.Name, starts[index].Position))];

    private static bool IsBehind(SegmentName name, StreamPosition position) =>
        name.Timeline > position.Timeline || (name.Timeline == position.Timeline && name.Number > position.Number);

    /// <summary>Returns the index of the first segment that does not follow the one before it; the number of segments if all do.</summary>
    private static int FirstBreak(StreamPosition position, List<StoredSegment> run)
    {
        var (timeline, number) = (position.Timeline, position.Number);
        for (var index = 0; index < run.Count; index++)
        {
            if (!StreamHole.Follows(timeline, number, run[index].Name))
            {
                return index;
            }

            (timeline, number) = (run[index].Name.Timeline, run[index].Name.Number);
        }

        return run.Count;
    }

    /// <summary>Finds the last segment for which something holds that holds for all before it. A segment that cannot be read decides nothing.</summary>
    /// <returns>Its index; -1 if it holds for none.</returns>
    private async Task<int> LastAsync(List<StoredSegment> run, Predicate<SegmentHeader> holds)
    {
        var (low, high) = (-1, run.Count);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            var asked = await ReadableAsync(run, middle, low, step: -1).ConfigureAwait(false)
                ?? await ReadableAsync(run, middle + 1, high, step: 1).ConfigureAwait(false);
            if (asked is not { } index)
            {
                break;
            }

            (low, high) = holds(headers[run[index]]!) ? (index, high) : (low, index);
        }

        return low;
    }

    private async Task<int?> ReadableAsync(List<StoredSegment> run, int index, int end, int step)
    {
        for (; index != end; index += step)
        {
            if (await HeaderAsync(run[index]).ConfigureAwait(false) is not null)
            {
                return index;
            }
        }

        return null;
    }

    /// <summary>Reads the header of a segment; null if it is damaged or has gone.</summary>
    private async Task<SegmentHeader?> HeaderAsync(StoredSegment segment)
    {
        if (headers.TryGetValue(segment, out var header))
        {
            return header;
        }

        try
        {
            header = await stream.ReadHeaderAsync(segment, context.Identities, context.Cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (StreamHole.IsOf(exception))
        {
            header = null;
        }

        headers[segment] = header;
        return header;
    }
}
