namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>A clock whose timers end a little early, as those of operating systems do, and at once for whoever waits.</summary>
internal sealed class HastyClock : TimeProvider
{
    private static readonly TimeSpan Haste = TimeSpan.FromMilliseconds(0.4);

    private long now = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        now += Math.Max(0, (dueTime - Haste).Ticks);
        return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
