namespace SignalHarvester.Backup;

/// <summary>The result of one part of a restore drill.</summary>
public enum DrillResult : long
{
    /// <summary>It was skipped, because an earlier part failed.</summary>
    NotRun,

    /// <summary>It passed.</summary>
    Passed,

    /// <summary>It failed.</summary>
    Failed,
}
