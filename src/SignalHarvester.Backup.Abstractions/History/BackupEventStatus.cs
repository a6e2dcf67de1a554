namespace SignalHarvester.Backup;

/// <summary>The result of an operation.</summary>
public enum BackupEventStatus
{
    /// <summary>It succeeded.</summary>
    Success,

    /// <summary>It failed or was stopped.</summary>
    Failed,
}
