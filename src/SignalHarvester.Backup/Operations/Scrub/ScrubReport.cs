namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>The result of scrubbing one backup.</summary>
/// <param name="Result">The result.</param>
/// <param name="Fault">The error, if the backup is neither good nor repaired.</param>
public sealed record ScrubReport(BackupScrubResult Result, BackupException? Fault);
