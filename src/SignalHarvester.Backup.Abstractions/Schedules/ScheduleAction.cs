namespace SignalHarvester.Backup;

/// <summary>The action of a schedule.</summary>
public enum ScheduleAction : long
{
    /// <summary>Makes backups, including verification, copies elsewhere, retention and metrics.</summary>
    Backup,

    /// <summary>Only applies the retention rules.</summary>
    Retention,

    /// <summary>Restores the newest backup of each database to a temporary place, as a test.</summary>
    Drill,

    /// <summary>Re-reads stored backups, and repairs or quarantines damaged ones.</summary>
    Scrub,

    /// <summary>Protects databases continuously, as Start-SHBackupProtection does.</summary>
    Protect,
}
