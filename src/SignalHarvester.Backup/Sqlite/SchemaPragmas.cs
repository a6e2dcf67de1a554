using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// What SQLite says about tables and indexes, https://sqlite.org/pragma.html . It runs PRAGMA statements, because a SELECT from
/// <c>pragma_index_list</c> and the like reads the application's own table if one has that name.
/// </summary>
internal static class SchemaPragmas
{
    /// <summary>Returns the columns of a table in their order, including computed ones.</summary>
    /// <returns>Each with its declared type, its place in the primary key from 1 on, and whether it is computed.</returns>
    public static List<(SqliteName Name, SqliteName Type, long Key, bool IsComputed)> Columns(SqliteConnection connection, string schema, SqliteName table) =>
        SqlStatement.List(connection, $"PRAGMA {schema}.table_xinfo({table.Quoted})", row => (row.Name(1), row.Name(2), row.Number(5), row.Number(6) != 0));

    /// <summary>Returns the indexes of a table, except the rowid.</summary>
    public static List<(SqliteName Name, bool IsUnique, bool IsPrimaryKey)> Indexes(SqliteConnection connection, string schema, SqliteName table) =>
        SqlStatement.List(connection, $"PRAGMA {schema}.index_list({table.Quoted})", row => (row.Name(1), row.Number(2) != 0, row.Text(3) == "pk"));

    /// <summary>Returns the key of an index: the columns that it sorts by. An expression has no name.</summary>
    public static List<(SqliteName Name, SqliteName Collation)> Keys(SqliteConnection connection, string schema, SqliteName index) =>
        [.. Entries(connection, schema, index).Where(entry => entry.IsKey).Select(entry => (entry.Name, entry.Collation))];

    /// <summary>Returns all columns in the entries of an index, including those that find the row.</summary>
    /// <returns>Each with the number of its column (-1 for the rowid, -2 for an expression) and its name, if it has one.</returns>
    public static List<(long Column, SqliteName Name, bool IsDescending, SqliteName Collation, bool IsKey)> Entries(
        SqliteConnection connection, string schema, SqliteName index) =>
        SqlStatement.List(
            connection, $"PRAGMA {schema}.index_xinfo({index.Quoted})",
            row => (row.Number(1), row.Name(2), row.Number(3) != 0, row.Name(4), row.Number(5) != 0));

    /// <summary>
    /// Returns the index of the key of a table without rowids, which is the table itself; null if the table has rowids.
    /// <c>table_list</c> would say it too, but it compiles every view of the database.
    /// </summary>
    public static SqliteName? KeyWithoutRowId(SqliteConnection connection, string schema, SqliteName table) =>
        Indexes(connection, schema, table).Where(index => index.IsPrimaryKey && !Entries(connection, schema, index.Name).Exists(entry => entry.Column == -1))
            .Select(index => (SqliteName?)index.Name).FirstOrDefault();
}
