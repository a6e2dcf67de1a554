namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>A database that a run is to work on, or a name that led to none.</summary>
/// <param name="Path">The database's full path, or what was to be found.</param>
/// <param name="Fault">Why nothing was found; null where something was.</param>
public sealed record ScheduleSource(string Path, BackupException? Fault);
