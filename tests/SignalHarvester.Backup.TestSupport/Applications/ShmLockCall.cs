namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>What SQLite's xShmLock does, by SQLite's numbers.</summary>
public enum ShmLockCall
{
    /// <summary>Lets a shared lock go.</summary>
    UnlockShared = 1 | 4,

    /// <summary>Lets an exclusive lock go.</summary>
    UnlockExclusive = 1 | 8,

    /// <summary>Takes a shared lock.</summary>
    LockShared = 2 | 4,

    /// <summary>Takes an exclusive lock.</summary>
    LockExclusive = 2 | 8,
}
