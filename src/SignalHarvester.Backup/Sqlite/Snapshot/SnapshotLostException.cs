namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>A pinned snapshot cannot be read as it was pinned; the caller falls back to another way of copying.</summary>
internal sealed class SnapshotLostException(string reason) : Exception(reason);
