namespace SignalHarvester.Backup.Protection;

/// <summary>Sets the pace of segments: many may go at once after a pause, and one an interval in the long run.</summary>
/// <param name="interval">The interval.</param>
/// <param name="clock">The clock.</param>
internal sealed class PaceBucket(TimeSpan interval, TimeProvider clock)
{
    private const double Most = 60;

    private double tokens = Most;
    private long last = clock.GetTimestamp();

    /// <summary>Takes the right to one segment.</summary>
    /// <returns>The time to wait for it; zero if it was taken.</returns>
    public TimeSpan Take()
    {
        tokens = interval <= TimeSpan.Zero ? Most : Math.Min(Most, tokens + (clock.GetElapsedTime(last) / interval));
        last = clock.GetTimestamp();
        if (tokens >= 1)
        {
            tokens--;
            return TimeSpan.Zero;
        }

        return (1 - tokens) * interval;
    }
}
