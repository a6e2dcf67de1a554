namespace SignalHarvester.Backup;

/// <summary>The result of a schedule's run, or of one of its steps.</summary>
public enum ScheduleResult : long
{
    /// <summary>Everything succeeded.</summary>
    Succeeded,

    /// <summary>A minor problem that does not affect the backups: metrics could not be exported, for example.</summary>
    Warning,

    /// <summary>A part succeeded, and a part failed.</summary>
    Partial,

    /// <summary>Everything failed.</summary>
    Failed,

    /// <summary>Nothing to do: it was not due, was already running, is switched off, or depends on a failed step.</summary>
    Skipped,
}
