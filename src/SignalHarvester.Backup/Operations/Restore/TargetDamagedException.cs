namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>A restore's destination is too damaged for SQLite to write to it; it is replaced as a file instead.</summary>
internal sealed class TargetDamagedException : Exception;
