namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>A line to beat and the result; smaller is better.</summary>
/// <param name="What">The two things that are compared.</param>
/// <param name="Measured">The median measured.</param>
/// <param name="Limit">The largest value that meets the line.</param>
/// <param name="Unit">The unit of both: <c>x</c> for a ratio, <c>s</c>, <c>ms</c>, <c>MB</c> or a count.</param>
internal sealed record Line(string What, double Measured, double Limit, string Unit)
{
    /// <summary>Whether the line was met; a difference below 0 means that the measurement itself is off.</summary>
    public bool Met => Measured >= 0 && Measured <= Limit;

    /// <summary>Returns the line if both numbers are known, else nothing.</summary>
    public static IEnumerable<Line> Of(string what, double? measured, double limit, string unit)
    {
        if (measured is double value)
        {
            yield return new Line(what, value, limit, unit);
        }
    }
}
