namespace SignalHarvester.Backup;

/// <summary>The decision of retention on a backup.</summary>
public enum RetentionAction : long
{
    /// <summary>The backup stays.</summary>
    Keep,

    /// <summary>The backup is removed, only from the backup directory.</summary>
    Remove,
}
