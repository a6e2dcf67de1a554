namespace SignalHarvester.Backup;

/// <summary>What differs between two states of a database.</summary>
public enum DifferenceKind
{
    /// <summary>Nothing: told of only where it was asked for.</summary>
    None,

    /// <summary>The object is in the later state alone.</summary>
    Added,

    /// <summary>The object is in the earlier state alone.</summary>
    Removed,

    /// <summary>The object is in both, with other rows or another definition.</summary>
    Changed,

    /// <summary>The rows of the table cannot be compared, and Detail says why.</summary>
    Unknown,
}
