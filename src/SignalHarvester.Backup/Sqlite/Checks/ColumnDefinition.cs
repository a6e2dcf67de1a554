namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>A column, as its table's statement defines it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Collation">Its collation.</param>
/// <param name="Computation">The expression that computes it on each read; empty for a stored column.</param>
internal sealed record ColumnDefinition(SqliteName Name, SqliteName Collation, IReadOnlyList<SqlToken> Computation);
