namespace SignalHarvester.Backup.Standby;

/// <summary>When a follower asks the store again: each request costs, and most databases rest most of the time.</summary>
/// <param name="clock">The clock.</param>
internal sealed class FollowPace(TimeProvider clock)
{
    private static readonly TimeSpan AtWork = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AtRest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UntilQuiet = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UntilRest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BetweenDoubts = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private long moved = clock.GetTimestamp();
    private long doubted = clock.GetTimestamp();
    private TimeSpan failure = AtWork;

    /// <summary>Whether there was nothing new for a while.</summary>
    public bool IsQuiet => clock.GetElapsedTime(moved) >= UntilQuiet;

    /// <summary>Takes the turn, which comes once in a while, to doubt that what is not there comes yet.</summary>
    /// <returns>Whether it is there.</returns>
    public bool TakeDoubt()
    {
        if (clock.GetElapsedTime(doubted) < BetweenDoubts)
        {
            return false;
        }

        doubted = clock.GetTimestamp();
        return true;
    }

    /// <summary>There was something new.</summary>
    public void Moved()
    {
        moved = doubted = clock.GetTimestamp();
        failure = AtWork;
    }

    /// <summary>There was nothing new.</summary>
    /// <returns>How long to wait.</returns>
    public TimeSpan Nothing()
    {
        failure = AtWork;
        return clock.GetElapsedTime(moved) < UntilRest ? AtWork : AtRest;
    }

    /// <summary>Something failed.</summary>
    /// <returns>How long to wait.</returns>
    public TimeSpan Failed()
    {
        var wait = failure;
        failure = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        return wait;
    }
}
