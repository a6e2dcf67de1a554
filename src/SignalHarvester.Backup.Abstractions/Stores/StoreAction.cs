namespace SignalHarvester.Backup;

/// <summary>What backups need a store for.</summary>
public enum StoreAction : long
{
    /// <summary>The bucket, container or folder is there.</summary>
    Reach,

    /// <summary>An object can be written. New-, Send-SHBackup and schedules need it.</summary>
    Write,

    /// <summary>It can be read. Restores, tests and drills need it.</summary>
    Read,

    /// <summary>Objects can be listed. Everything needs it.</summary>
    List,

    /// <summary>It can be deleted. Only Remove-SHBackup and retention in the store need it.</summary>
    Delete,
}
