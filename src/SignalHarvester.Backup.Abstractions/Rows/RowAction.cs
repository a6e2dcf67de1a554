namespace SignalHarvester.Backup;

/// <summary>What a row restore does if a row with the same key exists.</summary>
public enum RowAction : long
{
    /// <summary>Leaves existing rows unchanged, and restores missing ones.</summary>
    InsertMissing,

    /// <summary>Gives existing rows the values of the backup, and restores missing ones.</summary>
    Replace,

    /// <summary>Touches no row: puts the rows of the backup into a new table beside it.</summary>
    SideTable,
}
