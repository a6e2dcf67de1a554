namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>A pinned snapshot can no longer be read; the caller falls back to another way of copying.</summary>
internal sealed class SnapshotLostException(string reason) : Exception(reason);
