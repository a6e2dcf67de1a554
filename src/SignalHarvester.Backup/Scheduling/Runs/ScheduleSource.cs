namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>A database for a run, or a name without a match.</summary>
/// <param name="Path">The database's full path, or the name.</param>
/// <param name="Fault">Why nothing was found; null if something was.</param>
public sealed record ScheduleSource(string Path, BackupException? Fault);
