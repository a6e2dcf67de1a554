namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>What a scrub found of one backup.</summary>
/// <param name="Result">The result.</param>
/// <param name="Fault">The error that it is, for one that is neither good nor mended.</param>
public sealed record ScrubReport(BackupScrubResult Result, BackupException? Fault);
