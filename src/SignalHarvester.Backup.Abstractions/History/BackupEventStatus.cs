namespace SignalHarvester.Backup;

/// <summary>The result of an operation.</summary>
public enum BackupEventStatus : long
{
    /// <summary>It succeeded.</summary>
    Success,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>It was stopped, by Ctrl+C or a signal, before it could succeed or fail.</summary>
    Stopped,
}
