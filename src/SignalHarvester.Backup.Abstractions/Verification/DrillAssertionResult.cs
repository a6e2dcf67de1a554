namespace SignalHarvester.Backup;

/// <summary>The restored database's answer to one of your queries.</summary>
public sealed record DrillAssertionResult
{
    /// <summary>The query, in SQL.</summary>
    public string Query { get; init; } = string.Empty;

    /// <summary>The expected answer: a value, or a comparison such as <c>&gt; 0</c>.</summary>
    public string Expected { get; init; } = string.Empty;

    /// <summary>The answer: the first value of the first row, as text; or why there is none.</summary>
    public string Found { get; init; } = string.Empty;

    /// <summary>Whether the answer is as expected.</summary>
    public bool Passed { get; init; }

    /// <summary>The query with its answer.</summary>
    public override string ToString() => $"{(Passed ? "passed" : "FAILED")}: {Query} gave {Found}, expected {Expected}";
}
