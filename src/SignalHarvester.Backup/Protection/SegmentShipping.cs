using System.Globalization;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>Stores transactions, one segment after the other and at a pace, and counts what it has stored.</summary>
/// <param name="databasePath">The database.</param>
/// <param name="follower">Has the transactions.</param>
/// <param name="writer">Writes the segments.</param>
/// <param name="patience">Waits for the store.</param>
/// <param name="standing">How the protection stands.</param>
/// <param name="interval">The time between two segments in the long run.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class SegmentShipping(
    string databasePath, Follower follower, StreamWriter writer, Patience patience, ProtectionStanding standing, TimeSpan interval, OperationContext context)
{
    private const long LargestSegment = 16L << 20;

    private readonly PaceBucket pace = new(interval, context.Clock);

    /// <summary>Segments that were stored.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes of them.</summary>
    public long Bytes { get; private set; }

    /// <summary>When the last one was; null before the first.</summary>
    public DateTimeOffset? LastStored { get; private set; }

    /// <summary>The time from a commit to its storage.</summary>
    public DelayRecord Delays { get; } = new(context.Clock);

    /// <summary>Stores the segment that was written last, unless it is known to have arrived.</summary>
    /// <param name="cancellation">Ends the wait for the store.</param>
    /// <returns>False if there was none.</returns>
    /// <exception cref="BackupException">StreamFenced.</exception>
    public async Task<bool> ConfirmAsync(CancellationToken cancellation)
    {
        var wasThere = await writer.ConfirmAsync(segment => PutAsync(segment, cancellation)).ConfigureAwait(false);
        follower.Confirm(writer.Transaction);
        return wasThere;
    }

    /// <summary>Waits until the pace allows another segment.</summary>
    public async Task WaitForPaceAsync(CancellationToken cancellation)
    {
        while (pace.Take() is var wait && wait > TimeSpan.Zero)
        {
            await patience.PauseAsync(wait, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Stores what waits as the next segment, unless nothing does.</summary>
    /// <exception cref="BackupException">StreamFenced.</exception>
    /// <exception cref="IOException">The segment cannot be kept here; then nothing has happened.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public async Task ShipAsync(CancellationToken cancellation)
    {
        var commits = follower.Peek(LargestSegment);
        if (commits.Count == 0)
        {
            return;
        }

        var segment = writer.Write(commits);
        _ = await ConfirmAsync(cancellation).ConfigureAwait(false);
        foreach (var commit in commits)
        {
            Delays.Add(context.Clock.GetElapsedTime(commit.Seen));
        }

        context.Verbose(string.Create(
            CultureInfo.InvariantCulture,
            $"Stored '{segment.Name}': transactions {segment.Header.FirstTransaction} to {segment.Header.LastTransaction} of '{databasePath}', {segment.Bytes.Length} bytes, {context.Clock.GetElapsedTime(commits[0].Seen).TotalMilliseconds:0} ms after the first was seen."));
    }

    /// <summary>Puts a segment until it is known whether it has arrived.</summary>
    private async Task<PutOutcome> PutAsync(Segment segment, CancellationToken cancellation)
    {
        var outcome = await patience.UntilStoredAsync(() => writer.PutAsync(segment, cancellation), cancellation).ConfigureAwait(false);
        standing.Problem = null;
        Count++;
        Bytes += segment.Bytes.Length;
        LastStored = context.Clock.GetUtcNow();
        return outcome;
    }
}
