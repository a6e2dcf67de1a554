namespace SignalHarvester.Backup;

/// <summary>One thing that was tried in a store.</summary>
/// <param name="Action">What was tried.</param>
/// <param name="Passed">Whether it worked.</param>
/// <param name="Detail">Why it did not; null if it did.</param>
public sealed record StoreCheck(StoreAction Action, bool Passed, string? Detail)
{
    /// <summary>The action and its result.</summary>
    public override string ToString() => Passed ? $"{Action}: works" : $"{Action}: {Detail}";
}
