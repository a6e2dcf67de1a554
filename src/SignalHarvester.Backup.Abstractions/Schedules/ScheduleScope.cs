namespace SignalHarvester.Backup;

/// <summary>Whose schedule it is, and as whom it runs.</summary>
public enum ScheduleScope
{
    /// <summary>The account's that registers it.</summary>
    User,

    /// <summary>The machine's: it runs as root or SYSTEM, and takes the rights of an administrator to be registered.</summary>
    System,
}
