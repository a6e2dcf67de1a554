namespace SignalHarvester.Backup.Protection;

/// <summary>How the protection of a database has ended.</summary>
/// <param name="Database">The database's full path.</param>
/// <param name="Last">What was shown last; null if it did not come that far.</param>
/// <param name="Duration">How long it has run.</param>
/// <param name="Fault">Why it has failed; null if it was stopped.</param>
public sealed record ProtectionOutcome(string Database, BackupProtection? Last, TimeSpan Duration, BackupException? Fault);
