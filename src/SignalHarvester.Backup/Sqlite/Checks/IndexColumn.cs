namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>A value of each entry of an index.</summary>
/// <param name="Name">The column's name; none for the rowid and for an expression.</param>
/// <param name="IsRowId">Whether it is the row's number.</param>
/// <param name="IsComputed">Whether it is computed of the row, and not one of its stored values.</param>
internal sealed record IndexColumn(SqliteName Name, bool IsRowId, bool IsComputed);
