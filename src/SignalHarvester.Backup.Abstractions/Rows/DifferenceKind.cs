namespace SignalHarvester.Backup;

/// <summary>The kind of difference between two states of a database.</summary>
public enum DifferenceKind : long
{
    /// <summary>No difference; emitted only on request.</summary>
    None,

    /// <summary>The object is only in the later state.</summary>
    Added,

    /// <summary>The object is only in the earlier state.</summary>
    Removed,

    /// <summary>The object is in both, with other rows or another definition.</summary>
    Changed,

    /// <summary>The rows of the table cannot be compared, and Detail says why.</summary>
    Unknown,
}
