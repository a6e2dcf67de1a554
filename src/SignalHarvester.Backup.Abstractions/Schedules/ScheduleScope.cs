namespace SignalHarvester.Backup;

/// <summary>Whether a schedule belongs to the account or to the machine, and which account runs it.</summary>
public enum ScheduleScope : long
{
    /// <summary>It belongs to the registering account, and runs as that account.</summary>
    User,

    /// <summary>It belongs to the machine: it runs as root or SYSTEM, and only an administrator can register it.</summary>
    System,
}
