namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>The result of a verification.</summary>
/// <param name="Backup">The backup, with the result included.</param>
/// <param name="Fault">Why it failed; null if it passed.</param>
public sealed record VerificationOutcome(BackupMetadata Backup, BackupException? Fault);
