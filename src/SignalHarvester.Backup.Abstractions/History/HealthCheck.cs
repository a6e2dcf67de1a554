namespace SignalHarvester.Backup;

/// <summary>One check and its result.</summary>
/// <param name="Check">The check: RecoveryPoint, RecoveryTime, Chain, Schedule, Copies, Encryption, Disk, Scrub or Protection.</param>
/// <param name="Status">Its result.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Command">The command that fixes the problem; null if there is none.</param>
public sealed record HealthCheck(string Check, HealthStatus Status, string Reason, string? Command)
{
    /// <summary>The check on one line.</summary>
    public override string ToString() => $"{Check}: {Status} ({Reason})";
}
