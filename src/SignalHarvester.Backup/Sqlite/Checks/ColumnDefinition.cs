namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>A column, as its table's statement defines it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Collation">The order of its values.</param>
/// <param name="Computation">What computes it whenever it is read; nothing for a column that is stored.</param>
internal sealed record ColumnDefinition(SqliteName Name, SqliteName Collation, IReadOnlyList<SqlToken> Computation);
