namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>A value of each entry of an index.</summary>
/// <param name="Sql">What it is of the row: the name of a stored column or of the row's number, or an expression.</param>
/// <param name="Collation">The order that it has in the index.</param>
/// <param name="IsDescending">Whether that order is turned round.</param>
/// <param name="IsKey">Whether it is one of the columns that the index was made for, and not added to find the row.</param>
/// <param name="IsKnown">Whether it can be named at all: not the number of a row whose names are all those of columns.</param>
/// <param name="Uses">What computes it; null for what is stored.</param>
internal sealed record IndexColumn(string Sql, SqliteName Collation, bool IsDescending, bool IsKey, bool IsKnown, SqlDependencies? Uses)
{
    /// <summary>Whether SQLite gives the same here as the application did.</summary>
    public bool IsCertain => IsKnown && (Uses is null || (!Uses.HasReplaceableFunction && Uses.Collations.Count == 0));
}
