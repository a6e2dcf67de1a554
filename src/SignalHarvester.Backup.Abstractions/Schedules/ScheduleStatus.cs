namespace SignalHarvester.Backup;

/// <summary>The state of a schedule in the operating system.</summary>
public enum ScheduleStatus : long
{
    /// <summary>It is registered and unchanged.</summary>
    Registered,

    /// <summary>
    /// The registered task differs from the one that would be registered now: somebody changed it, or PowerShell, the module
    /// or the time zone moved. Register it again.
    /// </summary>
    Changed,

    /// <summary>The operating system no longer knows it. Register it again, or unregister it.</summary>
    Missing,

    /// <summary>The operating system's scheduler does not answer, so the state is unknown.</summary>
    Unknown,
}
