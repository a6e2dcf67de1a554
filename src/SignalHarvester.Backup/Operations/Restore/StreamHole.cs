using System.Globalization;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>The error for a transaction that a stream cannot give any more, with the nearest moments that it can give.</summary>
internal static class StreamHole
{
    /// <summary>Whether an error of a single segment means that it is missing or damaged.</summary>
    public static bool IsOf(BackupException exception) => exception.ErrorId is BackupErrorId.CloudChecksumMismatch || IsGone(exception);

    /// <summary>Whether an error of a single segment means that it has gone since it was listed.</summary>
    public static bool IsGone(BackupException exception) => exception.ErrorId is BackupErrorId.CloudObjectNotFound or BackupErrorId.CloudObjectChanged;

    /// <summary>Whether a segment continues where another one ends, by their names.</summary>
    public static bool Follows(int timeline, long number, SegmentName next) =>
        (next.Timeline == timeline && next.Number == number + 1) || (next.Timeline > timeline && next.Number == 1);

    /// <summary>Returns why a segment does not continue the stream; null if it does.</summary>
    /// <param name="last">The last transaction before it.</param>
    /// <param name="before">The segment before it; null if it is the first after a backup.</param>
    /// <param name="header">The segment.</param>
    public static string? WhyNotJoined(long last, SegmentHeader? before, SegmentHeader header) => header switch
    {
        _ when before is { Kind: SegmentKind.Seal } && header.Timeline != before.NextTimeline =>
            string.Create(CultureInfo.InvariantCulture, $"timeline {before.Timeline} is continued by timeline {before.NextTimeline}, which is missing"),
        _ when before is not null && before.Kind != SegmentKind.Seal && header.Timeline != before.Timeline =>
            string.Create(CultureInfo.InvariantCulture, $"the end of timeline {before.Timeline} is missing"),
        { Kind: SegmentKind.Base } when header.LastTransaction > last => string.Create(
            CultureInfo.InvariantCulture,
            $"transactions {header.FirstTransaction} to {header.LastTransaction} are in the backup '{header.BackupId}' alone ({Words(header.Reason!.Value)})"),
        { Kind: SegmentKind.Commits } when header.FirstTransaction > last + 1 || (before is not null && header.FirstTransaction <= last) => string.Create(
            CultureInfo.InvariantCulture, $"the segment {header.Number} of timeline {header.Timeline} does not continue from transaction {last}"),
        _ when before is not null && header.Previous != before.Digest => string.Create(
            CultureInfo.InvariantCulture,
            $"the segment {header.Number} of timeline {header.Timeline} continues from another transaction {last} than the one before it ends with"),
        { Kind: SegmentKind.Base } => $"from there on the stream continues from the backup '{header.BackupId}' alone ({Words(header.Reason!.Value)})",
        _ => null,
    };

    /// <summary>Finds the hole on the way to a transaction, and makes the error.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="plan">The way; its segments need not be all there are.</param>
    /// <param name="moment">The moment whose transaction was looked for; null if it was looked for by its number.</param>
    /// <param name="identities">The secrets for an encrypted stream.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<BackupException> FindAsync(
        StreamStore stream, StreamPlan plan, DateTimeOffset? moment, IdentityRing identities, CancellationToken cancellation)
    {
        var position = plan.From.Position;
        var (timeline, number) = (position.Timeline, position.Number);
        var (last, time, joined) = (position.Transaction, position.Time, position.Transaction);
        SegmentHeader? before = null;
        string? reason = null;
        BackupException? fault = null;
        foreach (var segment in plan.Segments)
        {
            if (!Follows(timeline, number, segment.Name))
            {
                break;
            }

            try
            {
                var header = (await stream.ReadAsync(segment, identities, cancellation).ConfigureAwait(false)).Header;
                reason = WhyNotJoined(joined, before, header);
                if (reason is not null)
                {
                    break;
                }

                (timeline, number, before, joined) = (header.Timeline, header.Number, header, header.LastTransaction);
                if (header.LastTransaction > last)
                {
                    (last, time) = (header.LastTransaction, header.Time);
                }
            }
            catch (BackupException exception) when (IsOf(exception))
            {
                (reason, fault) = ($"the segment '{segment.Name}' is damaged or gone", exception);
                break;
            }
        }

        reason ??= string.Create(CultureInfo.InvariantCulture, $"the segment {number + 1} of timeline {timeline} is missing");
        var after = plan.Next is { Position: var next }
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"; the nearest one after it is {next.Transaction} ({Moment(next.Time)}), in the backup '{plan.Next.Backup.Id}'")
            : "; there is none after it yet";
        var wanted = moment == DateTimeOffset.MaxValue ? "The newest transaction"
            : moment is { } asked ? $"The database as it was at {Moment(asked)}"
            : string.Create(CultureInfo.InvariantCulture, $"Transaction {plan.Transaction}");
        return new BackupException(
            BackupErrorId.StreamHole, (object?)moment ?? plan.Transaction, string.Create(
                CultureInfo.InvariantCulture,
                $"{wanted} cannot be restored from '{stream.Location}': {reason}. The nearest transaction before it is {last} ({Moment(time)}){after}. Restore one of these with -Transaction or -PointInTime."),
            fault);
    }

    /// <summary>A moment in a message.</summary>
    public static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture);

    private static string Words(BaseReason reason) => reason switch
    {
        BaseReason.Gap => "they were not seen one by one",
        BaseReason.Replaced => "another file was put in the database's place",
        BaseReason.Bulk => "too much was written at once",
        BaseReason.Takeover => "another writer took over",
        _ => "the stream begins there",
    };
}
