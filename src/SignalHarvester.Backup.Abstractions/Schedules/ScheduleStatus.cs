namespace SignalHarvester.Backup;

/// <summary>The state of a schedule in the operating system.</summary>
public enum ScheduleStatus : long
{
    /// <summary>It is registered and unchanged.</summary>
    Registered,

    /// <summary>
    /// The registered task differs from the one that would be registered now: somebody changed it, or the time zone moved, or it
    /// loads another version of the module. Update-SHBackupSchedule registers it again.
    /// </summary>
    Changed,

    /// <summary>The operating system no longer knows it. Update-SHBackupSchedule registers it again.</summary>
    Missing,

    /// <summary>The operating system's scheduler does not answer, so the state is unknown.</summary>
    Unknown,

    /// <summary>No run can start, because PowerShell or the module is gone from its place. Update-SHBackupSchedule registers it again.</summary>
    Broken,
}
