namespace SignalHarvester.Backup;

/// <summary>What restoring rows does where a row of the same key is there.</summary>
public enum RowAction
{
    /// <summary>Leaves it as it is, and brings back those that are missing.</summary>
    InsertMissing,

    /// <summary>Gives it the values of the backup, and brings back those that are missing.</summary>
    Replace,

    /// <summary>Touches no row: puts those of the backup into a new table beside it.</summary>
    SideTable,
}
