namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>Quantiles of measured values.</summary>
internal static class Quantile
{
    /// <summary>Returns the least value that a share of all does not exceed.</summary>
    /// <param name="ascending">The values, at least one.</param>
    /// <param name="share">The share, above 0 and up to 1.</param>
    public static double Of(IReadOnlyList<double> ascending, double share) => ascending[(int)Math.Ceiling(share * ascending.Count) - 1];
}
