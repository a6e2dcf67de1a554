using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// What SQLite tells of tables and indexes, https://sqlite.org/pragma.html . By statements: what SQL selects from
/// <c>pragma_index_list</c> and its like is a table of the application's where one is called so.
/// </summary>
internal static class SchemaPragmas
{
    /// <summary>The columns of a table in their order, those that are computed too.</summary>
    /// <returns>Each with its declared type, its place in the primary key from 1 on, and whether it is computed.</returns>
    public static List<(SqliteName Name, SqliteName Type, long Key, bool IsComputed)> Columns(SqliteConnection connection, string schema, SqliteName table) =>
        SqlStatement.List(connection, $"PRAGMA {schema}.table_xinfo({table.Quoted})", row => (row.Name(1), row.Name(2), row.Number(5), row.Number(6) != 0));

    /// <summary>The indexes of a table, but for the rowid.</summary>
    public static List<(SqliteName Name, bool IsUnique, bool IsPrimaryKey)> Indexes(SqliteConnection connection, string schema, SqliteName table) =>
        SqlStatement.List(connection, $"PRAGMA {schema}.index_list({table.Quoted})", row => (row.Name(1), row.Number(2) != 0, row.Text(3) == "pk"));

    /// <summary>What an index is in the order of. An expression has no name.</summary>
    public static List<(SqliteName Name, SqliteName Collation)> Keys(SqliteConnection connection, string schema, SqliteName index) =>
        [.. Entries(connection, schema, index).Where(entry => entry.IsKey).Select(entry => (entry.Name, entry.Collation))];

    /// <summary>What each entry of an index holds, to find the row by too.</summary>
    /// <returns>Each with the number of its column (-1 for that of the row, -2 for an expression) and its name, where it has one.</returns>
    public static List<(long Column, SqliteName Name, bool IsDescending, SqliteName Collation, bool IsKey)> Entries(
        SqliteConnection connection, string schema, SqliteName index) =>
        SqlStatement.List(
            connection, $"PRAGMA {schema}.index_xinfo({index.Quoted})",
            row => (row.Number(1), row.Name(2), row.Number(3) != 0, row.Name(4), row.Number(5) != 0));

    /// <summary>The tables whose rows have no number; of all, or of one that is named.</summary>
    public static HashSet<SqliteName> WithoutRowId(SqliteConnection connection, string schema, SqliteName? table = null) =>
        [.. SqlStatement.List(
            connection,
            $"PRAGMA {schema}.table_list{(table is { } name ? $"({name.Quoted})" : string.Empty)}",
            row => (Schema: row.Text(0), Name: row.Name(1), IsWithout: row.Number(4) != 0))
            .Where(row => row.Schema == schema && row.IsWithout)
            .Select(row => row.Name),
        ];
}
