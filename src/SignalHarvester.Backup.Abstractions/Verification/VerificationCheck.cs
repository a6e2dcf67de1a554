using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>One check of a verification and its result.</summary>
/// <param name="Check">The check's name, such as <c>StoredChecksum</c> or <c>Integrity</c>.</param>
/// <param name="Passed">Whether the check passed.</param>
/// <param name="Detail">The comparison or finding, for people.</param>
public sealed record VerificationCheck(string Check, bool Passed, string Detail)
{
    /// <summary>The name of the check that counts rows.</summary>
    internal const string RowCounts = nameof(RowCounts);

    /// <summary>The check on one line: name, outcome, detail.</summary>
    public override string ToString() => $"{Check}: {(Passed ? "passed" : "FAILED")} ({Detail})";

    /// <summary>Returns what failed of several checks, or how many there were and which rows they counted.</summary>
    internal static string Summary(IReadOnlyList<VerificationCheck> checks)
    {
        if (checks.FirstOrDefault(check => !check.Passed) is { } failed)
        {
            return $"{failed.Check}: {failed.Detail}";
        }

        var passed = string.Create(CultureInfo.InvariantCulture, $"{checks.Count} {(checks.Count == 1 ? "check" : "checks")} passed");
        return checks.FirstOrDefault(check => check.Check == RowCounts) is { } rows ? $"{passed}; {rows.Detail}" : passed;
    }
}
