namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>A value in each entry of an index.</summary>
/// <param name="Sql">Its source in the row: the name of a stored column or of the rowid, or an expression.</param>
/// <param name="Collation">Its collation in the index.</param>
/// <param name="IsDescending">Whether the index orders it descending.</param>
/// <param name="IsKey">Whether the index was made for this column. Other columns were added to find the row.</param>
/// <param name="IsKnown">Whether SQL can name it: a rowid has no name if columns have all its names.</param>
/// <param name="Uses">What computes it; null for a stored value.</param>
internal sealed record IndexColumn(string Sql, SqliteName Collation, bool IsDescending, bool IsKey, bool IsKnown, SqlDependencies? Uses)
{
    /// <summary>Whether SQLite computes the same value here as the application did.</summary>
    public bool IsCertain => IsKnown && (Uses is null || (!Uses.HasReplaceableFunction && Uses.Collations.Count == 0));
}
