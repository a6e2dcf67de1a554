namespace SignalHarvester.Backup;

/// <summary>What retention does with a backup.</summary>
public enum RetentionAction
{
    /// <summary>The backup stays.</summary>
    Keep,

    /// <summary>The backup goes, from the backup directory alone.</summary>
    Remove,
}
