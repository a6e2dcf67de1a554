namespace SignalHarvester.Backup;

/// <summary>The content of a backup file.</summary>
public enum BackupType : long
{
    /// <summary>The whole database image.</summary>
    Full,

    /// <summary>The pages that changed since the parent backup, as a SQLite WAL file.</summary>
    Incremental,

    /// <summary>Frames taken from the database's own write-ahead log since the parent backup.</summary>
    Wal,
}
