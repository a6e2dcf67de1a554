namespace SignalHarvester.Backup;

/// <summary>One check of a verification and its result.</summary>
/// <param name="Check">The check's name, such as <c>StoredChecksum</c> or <c>Integrity</c>.</param>
/// <param name="Passed">Whether the check passed.</param>
/// <param name="Detail">The comparison or finding, for people.</param>
public sealed record VerificationCheck(string Check, bool Passed, string Detail)
{
    /// <summary>The check on one line: name, outcome, detail.</summary>
    public override string ToString() => $"{Check}: {(Passed ? "passed" : "FAILED")} ({Detail})";
}
