namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>One database to back up.</summary>
/// <param name="Path">The database file's full path.</param>
/// <param name="BackupDirectory">The full path of the directory for its backups.</param>
public sealed record DatabaseSettings(string Path, string BackupDirectory);
