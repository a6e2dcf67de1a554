namespace SignalHarvester.Backup.Protection;

/// <summary>The times from commits to their storage, of the last day, hour by hour, in steps of about a tenth.</summary>
/// <param name="clock">The clock.</param>
internal sealed class DelayRecord(TimeProvider clock)
{
    private const int Hours = 24;
    private const int Steps = 160;
    private const double Growth = 1.1;

    private static readonly TimeSpan Smallest = TimeSpan.FromMilliseconds(1);

    // A database at rest needs no more than one of them, and there may be a thousand databases.
    private readonly long[]?[] counts = new long[]?[Hours];
    private readonly long[] hourOf = new long[Hours];
    private readonly Lock gate = new();

    /// <summary>Adds the delay of a transaction.</summary>
    public void Add(TimeSpan delay)
    {
        var step = delay <= Smallest ? 0 : (int)Math.Min(Steps - 1, Math.Ceiling(Math.Log(delay / Smallest) / Math.Log(Growth)));
        lock (gate)
        {
            var hour = Hour();
            var row = (int)(hour % Hours);
            if (counts[row] is not { } times || hourOf[row] != hour)
            {
                times = counts[row] = new long[Steps];
                hourOf[row] = hour;
            }

            times[step]++;
        }
    }

    /// <summary>Returns the delay that a share of the transactions does not exceed, to a tenth; null if there was none.</summary>
    /// <param name="share">The share, up to 1.</param>
    public TimeSpan? Quantile(double share)
    {
        lock (gate)
        {
            var now = Hour();
            var totals = new long[Steps];
            for (var row = 0; row < Hours; row++)
            {
                for (var step = 0; counts[row] is { } times && hourOf[row] > now - Hours && step < Steps; step++)
                {
                    totals[step] += times[step];
                }
            }

            var wanted = Math.Ceiling(totals.Sum() * share);
            var seen = 0L;
            for (var step = 0; step < Steps; step++)
            {
                seen += totals[step];
                if (seen > 0 && seen >= wanted)
                {
                    return Smallest * Math.Pow(Growth, step);
                }
            }

            return null;
        }
    }

    private long Hour() => clock.GetUtcNow().ToUnixTimeSeconds() / 3600;
}
