using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>Waits for what comes back by itself, a store above all. Meanwhile it shows that it is alive, and hears a request to stop.</summary>
/// <param name="databasePath">The database.</param>
/// <param name="location">The store.</param>
/// <param name="standing">Where it says that it waits.</param>
/// <param name="pulse">The sign of life.</param>
/// <param name="isToldToStop">Whether the wait is to end, because somebody asks the protection to stop.</param>
/// <param name="show">Shows the standing to others.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class Patience(
    string databasePath, StoreLocation location, ProtectionStanding standing, Pulse pulse, Func<bool> isToldToStop, Action show, OperationContext context)
{
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(30);

    // An empty folder in the place of a disk that is not mounted would take the stream from then on, so it is not created.
    private string StoreIsGone =>
        $"'{location}' is not there any more, although the transactions of '{databasePath}' were stored in it. Check its name and its disk: it may not be mounted. If it is lost, create it empty; the stream continues there from a new backup.";

    /// <summary>A transfer ends by the limits of its own connection, and a backup reports its progress, except while SQLite checks or a disk flushes.</summary>
    public static TimeSpan LongestStep { get; } = TimeSpan.FromMinutes(10);

    /// <summary>Tries something that needs the store, until it works. Commits wait meanwhile, first in memory, then as numbers of changed pages.</summary>
    /// <param name="attempt">Tries it.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<T> UntilStoredAsync<T>(Func<Task<T>> attempt, CancellationToken cancellation)
    {
        for (var wait = Breath; ; wait = wait * 2 < LongestBackOff ? wait * 2 : LongestBackOff)
        {
            pulse.Beat(LongestStep);
            try
            {
                var result = await attempt().ConfigureAwait(false);
                pulse.Beat();
                if (standing.State == ProtectionState.StoreUnavailable)
                {
                    (standing.State, standing.Problem) = (ProtectionState.Following, null);
                    context.Warn($"'{location}' takes the transactions of '{databasePath}' again.");
                }

                return result;
            }
            catch (BackupException exception) when (exception.ErrorId.StartsWith("Cloud", StringComparison.Ordinal))
            {
                var problem = exception.ErrorId == BackupErrorId.CloudContainerNotFound ? StoreIsGone : exception.Message;
                standing.Problem = problem;
                if (standing.State != ProtectionState.StoreUnavailable)
                {
                    standing.State = ProtectionState.StoreUnavailable;
                    context.Warn(
                        $"The transactions of '{databasePath}' cannot be stored at the moment. They wait, and it is tried again. {problem}");
                }

                show();
                await PauseAsync(wait, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits.</summary>
    /// <param name="wait">How long.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="OperationCanceledException">Also if somebody asks the protection to stop: what is left then has a deadline of its own.</exception>
    public async Task PauseAsync(TimeSpan wait, CancellationToken cancellation)
    {
        // A timer has whole milliseconds, and may end some microseconds early: what is left then is one more.
        var began = context.Clock.GetTimestamp();
        while (wait - context.Clock.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
        {
            if (isToldToStop())
            {
                throw new OperationCanceledException("The protection was asked to stop.");
            }

            pulse.Beat(Breath);
            var next = left < Breath ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : Breath;
            await Task.Delay(next, context.Clock, cancellation).ConfigureAwait(false);
        }
    }
}
