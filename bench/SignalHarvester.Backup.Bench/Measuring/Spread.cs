namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>The median of a few runs, with the smallest and the largest.</summary>
internal sealed record Spread(double Median, double Min, double Max)
{
    /// <summary>Returns the spread of the known values; null if none is known.</summary>
    public static Spread? Of(IEnumerable<double?> values)
    {
        double[] known = [.. values.OfType<double>().Order()];
        if (known.Length == 0)
        {
            return null;
        }

        var median = (known[(known.Length - 1) / 2] + known[known.Length / 2]) / 2;
        return new Spread(median, known[0], known[^1]);
    }
}
