namespace SignalHarvester.Backup;

/// <summary>Whether the operating system has a schedule as it should be.</summary>
public enum ScheduleStatus
{
    /// <summary>It is registered as it should be.</summary>
    Registered,

    /// <summary>What is registered is not what would be registered now: somebody changed it, or PowerShell, the module or the time zone moved. Register it again.</summary>
    Changed,

    /// <summary>The operating system does not know it any more. Register it again, or unregister it.</summary>
    Missing,

    /// <summary>The operating system's scheduler does not answer, so it is not known.</summary>
    Unknown,
}
