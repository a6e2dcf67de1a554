using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Deletes segments that are older than their time, the oldest first, up to the newest ordinary backup of that age in the store whose content was
/// verified. Before, it tests the newest such backup here, once a day.
/// </summary>
/// <param name="databasePath">The database.</param>
/// <param name="directory">The backup directory.</param>
/// <param name="stream">The stream.</param>
/// <param name="store">The store of the ordinary backups.</param>
/// <param name="starts">Those that have a place in a stream.</param>
/// <param name="options">The options of the protection.</param>
internal sealed class StreamPruning(
    string databasePath, BackupDirectory directory, StreamStore stream, StoreCatalog store, StoredStarts starts, ProtectionOptions options)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    // A backup that mends what was missing may have been sent meanwhile.
    private static readonly TimeSpan UntilKnown = TimeSpan.FromMinutes(1);

    // A segment of ours that is on its way has arrived by then.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly StreamExtent extent = new(databasePath, stream, options.KeepsSegments);
    private long last;
    private bool isFaulty;

    /// <summary>The oldest moment to which the stream leads; null while it is not known.</summary>
    public DateTimeOffset? Oldest { get; private set; }

    /// <summary>The oldest moment that was shown, by an earlier process or this one: since then segments must be there. Null if none was.</summary>
    public DateTimeOffset? Promised { get; set; }

    /// <summary>Segments that are missing of those that are kept.</summary>
    public long Missing => extent.Missing;

    /// <summary>Whether the store has no backup any more from which the transactions lead on, although it had one.</summary>
    public bool IsRootless { get; private set; }

    /// <summary>Whether it is time to look.</summary>
    public bool IsDue(TimeProvider clock) => last == 0 || clock.GetElapsedTime(last) >= (Oldest is null ? UntilKnown : Interval);

    /// <summary>Deletes what is too old. A failure is told, and it is tried again.</summary>
    public async Task RunAsync(StreamWriter writer, OperationContext context)
    {
        last = context.Clock.GetTimestamp();
        try
        {
            await DeleteOldAsync(writer, context).ConfigureAwait(false);
            isFaulty = false;
        }
        catch (BackupException exception)
        {
            var message =
                $"Old transactions of '{databasePath}' were not removed from '{stream.Location}'; it is tried again in {Interval:c}. {exception.Message}";
            if (isFaulty)
            {
                context.Verbose(message);
            }
            else
            {
                context.Warn(message);
            }

            isFaulty = true;
        }
    }

    private async Task DeleteOldAsync(StreamWriter writer, OperationContext context)
    {
        var hasRoot = writer.UnsentBackup is null && writer.Transaction >= 0;
        var positions = await PositionsAsync(writer, Interval, context).ConfigureAwait(false);
        var edge = context.Clock.GetUtcNow() - options.KeepTransactions;
        var newest = positions.FindLast(entry => entry.Position.Time <= edge);

        // Where no backup is older than the window, nothing was deleted that was promised before.
        var kept = newest ?? (Promised is { } promised ? positions.Find(entry => entry.Position.Time >= promised) : null);
        await extent.FindAsync(writer, kept?.Position.Number, context).ConfigureAwait(false);
        Oldest = OldestOf(positions);
        if (hasRoot && Oldest is null)
        {
            // The listing may be from before the first one was sent.
            positions = await PositionsAsync(writer, TimeSpan.Zero, context).ConfigureAwait(false);
            Oldest = OldestOf(positions);
        }

        IsRootless = hasRoot && Oldest is null;
        Promised ??= Oldest;
        if (options.KeepsSegments || newest is null
            || extent.First is not { } first || first > Math.Min(newest.Position.Number, writer.Number - 1)
            || !await IsVerifiedAsync(newest, context).ConfigureAwait(false))
        {
            return;
        }

        if (await IsFencedAsync(writer, context).ConfigureAwait(false))
        {
            return;
        }

        // Before the first one goes, so that a failure between two leaves nothing promised that is gone.
        Promised = Oldest = Oldest > newest.Position.Time ? Oldest : newest.Position.Time;
        extent.Shrunk();
        var removed = 0;
        await foreach (var segment in stream.ListAsync(writer.Timeline, 1, context.Cancellation).ConfigureAwait(false))
        {
            // The last one is the mark of its writer.
            if (segment.Name.Number > newest.Position.Number || segment.Name.Number >= writer.Number)
            {
                break;
            }

            await stream.DeleteAsync(segment.Name, context.Cancellation).ConfigureAwait(false);
            removed++;
        }

        if (removed > 0)
        {
            context.Verbose(string.Create(
                CultureInfo.InvariantCulture,
                $"Removed {removed} segments of '{databasePath}' from '{stream.Location}': each transaction since {newest.Position.Time:u} can be restored, from '{newest.BackupId}' on."));
        }
    }

    /// <summary>The moment of the oldest backup from which transactions lead on: it leads only to itself if the segments after it are gone.</summary>
    private DateTimeOffset? OldestOf(List<StoredStart> positions) =>
        positions.Find(entry => entry.Position.Number + 1 >= extent.First && entry.Position.Number >= extent.LastHole)?.Position.Time;

    private async Task<List<StoredStart>> PositionsAsync(StreamWriter writer, TimeSpan age, OperationContext context) =>
    [
        .. (await starts.OfAsync(writer.Stream, age, context.Cancellation).ConfigureAwait(false))
            .Where(start => start.Position.Timeline == writer.Timeline)
            .OrderBy(start => start.Position.Number),
    ];

    /// <summary>Whether a backup is still in the store, and its content is verified; it is tested here if it is not.</summary>
    private async Task<bool> IsVerifiedAsync(StoredStart start, OperationContext context)
    {
        if (await store.FindAsync(start.BackupId, context.Cancellation).ConfigureAwait(false) is not { Backup: var there })
        {
            return false;
        }

        if (there.Verified || directory.TryGet(start.BackupId) is not { } here)
        {
            return there.Verified;
        }

        var outcome = await Task.Run(
            () => BackupEngine.Verify(BackupSource.In(directory, here), VerificationLevel.Full, context), context.Cancellation).ConfigureAwait(false);
        if (!outcome.Backup.Verified)
        {
            context.Warn(
                $"'{here.Id}', an ordinary backup of the stream of '{databasePath}', failed its test, so the transactions before it stay in the store.");
        }

        return outcome.Backup.Verified;
    }

    /// <summary>Whether somebody else has put a segment after the last one of ours, and is the writer by now. The next segment will tell.</summary>
    private async Task<bool> IsFencedAsync(StreamWriter writer, OperationContext context)
    {
        var next = new SegmentName(writer.Timeline, writer.Number + 1);
        if (await stream.FindAsync(next, context.Cancellation).ConfigureAwait(false) is null)
        {
            return false;
        }

        await Task.Delay(Patience, context.Clock, context.Cancellation).ConfigureAwait(false);
        return writer.Number < next.Number;
    }
}
