namespace SignalHarvester.Backup;

/// <summary>How one part of a restore drill ended.</summary>
public enum DrillResult
{
    /// <summary>It was not come to, because something before it failed.</summary>
    NotRun,

    /// <summary>It passed.</summary>
    Passed,

    /// <summary>It failed.</summary>
    Failed,
}
