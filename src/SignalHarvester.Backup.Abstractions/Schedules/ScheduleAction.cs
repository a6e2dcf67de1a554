namespace SignalHarvester.Backup;

/// <summary>What a schedule does when it is due.</summary>
public enum ScheduleAction
{
    /// <summary>Makes backups, with what belongs to them: verification, copies elsewhere, retention, metrics.</summary>
    Backup,

    /// <summary>Applies the retention rules alone.</summary>
    Retention,

    /// <summary>Restores the newest backup of each database to a temporary place, to prove that it can be.</summary>
    Drill,

    /// <summary>Re-reads stored backups, and mends or puts into the quarantine those that are not what was recorded.</summary>
    Scrub,
}
