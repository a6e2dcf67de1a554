namespace SignalHarvester.Backup.Host;

/// <summary>How a pipeline ended.</summary>
internal enum Outcome
{
    /// <summary><c>$?</c> was true at the end.</summary>
    Succeeded,

    /// <summary><c>$?</c> was false at the end, or a terminating error ended it.</summary>
    Failed,

    /// <summary>It was stopped, and its clean-up is done.</summary>
    Stopped,
}
