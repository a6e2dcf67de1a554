namespace SignalHarvester.Backup;

/// <summary>The kind of backup to make.</summary>
public enum BackupStrategy : long
{
    /// <summary>The whole database.</summary>
    Full,

    /// <summary>The pages that changed since the parent, found by comparing the database with the parent's page digests.</summary>
    Incremental,

    /// <summary>
    /// The pages committed since the parent, taken from the database's own write-ahead log if that provably continues the
    /// parent; otherwise as Incremental.
    /// </summary>
    Wal,

    /// <summary>Full if the chain has become long or large, otherwise Incremental.</summary>
    Auto,
}
