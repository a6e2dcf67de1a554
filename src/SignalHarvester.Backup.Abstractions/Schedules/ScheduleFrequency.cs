namespace SignalHarvester.Backup;

/// <summary>How often a schedule is due.</summary>
public enum ScheduleFrequency : long
{
    /// <summary>Every day.</summary>
    Daily,

    /// <summary>One day of each week.</summary>
    Weekly,

    /// <summary>One day of each month.</summary>
    Monthly,

    /// <summary>Repeatedly, at a fixed interval.</summary>
    Every,

    /// <summary>Always: it starts with the machine, and runs until it is stopped.</summary>
    Continuous,
}
