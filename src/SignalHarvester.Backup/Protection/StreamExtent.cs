using System.Globalization;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Which segments of a stream's timeline the store has: the first one, and whether any is missing after it. Who deletes one in the middle makes what is
/// promised untrue, so all of them are listed once an hour.
/// </summary>
/// <param name="databasePath">The database.</param>
/// <param name="stream">The stream.</param>
/// <param name="isPrunedByOthers">Whether rules of the store delete segments. If not, nobody has to be asked while the writer does nothing.</param>
internal sealed class StreamExtent(string databasePath, StreamStore stream, bool isPrunedByOthers)
{
    private static readonly TimeSpan WholeInterval = TimeSpan.FromHours(1);

    private int timeline;
    private long? end;
    private long lastWhole;

    /// <summary>The number of the first segment; null if there is none, or it is not known.</summary>
    public long? First { get; private set; }

    /// <summary>The number of the last segment that is missing; 0 if none is.</summary>
    public long LastHole { get; private set; }

    /// <summary>The number of segments that are missing of those that are kept.</summary>
    public long Missing { get; private set; }

    /// <summary>Notes that segments were deleted at the beginning.</summary>
    public void Shrunk() => end = null;

    /// <summary>Looks. It tells of segments that are missing.</summary>
    /// <param name="writer">The writer, of whose timeline they are.</param>
    /// <param name="keptAfter">
    /// The number after which every segment is kept; null if that is not known. Rules of a store delete the ones before it in any order.
    /// </param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public async Task FindAsync(StreamWriter writer, long? keptAfter, OperationContext context)
    {
        var last = writer.Number;
        var isWhole = timeline != writer.Timeline || context.Clock.GetElapsedTime(lastWhole) >= WholeInterval;
        if (!isWhole && !isPrunedByOthers && last == end)
        {
            return;
        }

        long? first = null;
        var (missing, hole) = (0L, 0L);
        long? expected = null;
        await foreach (var segment in stream.ListAsync(writer.Timeline, 1, context.Cancellation).ConfigureAwait(false))
        {
            first ??= segment.Name.Number;
            if (!isWhole)
            {
                break;
            }

            MissUpTo(segment.Name.Number);
            expected = segment.Name.Number + 1;
        }

        First = first;
        end = last;
        if (!isWhole)
        {
            return;
        }

        (timeline, lastWhole) = (writer.Timeline, context.Clock.GetTimestamp());
        MissUpTo(last + 1);
        Tell(missing, hole, context);

        void MissUpTo(long number)
        {
            if ((expected ?? keptAfter + 1) is { } from && number > from)
            {
                missing += Math.Max(0, number - Math.Max(from, keptAfter + 1 ?? 0));
                hole = number - 1;
            }
        }
    }

    private void Tell(long missing, long hole, OperationContext context)
    {
        if (missing > Missing)
        {
            context.Warn(string.Create(
                CultureInfo.InvariantCulture,
                $"{missing} segments of '{databasePath}' are missing in '{stream.Location}', the last of them with number {hole}: somebody has deleted them. The transactions in them cannot be restored; those after the next ordinary backup can. Get-SHBackupTransaction -From that store shows where they are missing. Find out who may delete there."));
        }

        (Missing, LastHole) = (missing, hole);
    }
}
