namespace SignalHarvester.Backup;

/// <summary>How an operation ended.</summary>
public enum BackupEventStatus
{
    /// <summary>It did what it was asked for.</summary>
    Success,

    /// <summary>It did not, or was stopped.</summary>
    Failed,
}
