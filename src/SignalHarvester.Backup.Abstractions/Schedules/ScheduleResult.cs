namespace SignalHarvester.Backup;

/// <summary>How a run of a schedule, or a step of one, ended.</summary>
public enum ScheduleResult
{
    /// <summary>All went well.</summary>
    Succeeded,

    /// <summary>Something went wrong that does not make the run worse: metrics could not be exported, for example.</summary>
    Warning,

    /// <summary>Some of it went well, and some failed.</summary>
    Partial,

    /// <summary>Nothing of what was wanted was reached.</summary>
    Failed,

    /// <summary>There was nothing to do: it was not due, it was running already, it is switched off, or what it builds on failed.</summary>
    Skipped,
}
