namespace SignalHarvester.Backup;

/// <summary>One thing that was looked at, and how it stands.</summary>
/// <param name="Check">What was looked at: RecoveryPoint, RecoveryTime, Chain, Schedule, Copies, Encryption, Disk or Scrub.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Command">The command that mends it; null where nothing needs to be mended.</param>
public sealed record HealthCheck(string Check, HealthStatus Status, string Reason, string? Command)
{
    /// <summary>The check on one line.</summary>
    public override string ToString() => $"{Check}: {Status} ({Reason})";
}
