namespace SignalHarvester.Backup;

/// <summary>What the restored database answered to a question of its owner's.</summary>
public sealed record DrillAssertionResult
{
    /// <summary>The question, in SQL.</summary>
    public string Query { get; init; } = string.Empty;

    /// <summary>What the answer must be: a value, or a comparison such as <c>&gt; 0</c>.</summary>
    public string Expected { get; init; } = string.Empty;

    /// <summary>The answer: the first value of the first row, as text; or why there is none.</summary>
    public string Found { get; init; } = string.Empty;

    /// <summary>Whether it is as expected.</summary>
    public bool Passed { get; init; }

    /// <summary>The question with its answer.</summary>
    public override string ToString() => $"{(Passed ? "passed" : "FAILED")}: {Query} gave {Found}, expected {Expected}";
}
