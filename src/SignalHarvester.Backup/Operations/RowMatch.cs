using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations;

/// <summary>
/// What a row of a table is found again by in another state of the table: the primary key, or the rowid where there is none
/// or where it is not whole (SQLite lets the key of an ordinary table be NULL, as often as one likes).
/// </summary>
/// <param name="Key">The columns, or a name of the rowid.</param>
/// <param name="IsRowId">Whether it is the rowid.</param>
internal sealed record RowMatch(IReadOnlyList<string> Key, bool IsRowId)
{
    private static readonly string[] RowIdNames = ["rowid", "_rowid_", "oid"];

    /// <summary>Finds it; null where nothing tells the rows of both apart.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The table.</param>
    /// <param name="one">A database within the connection, and the table there.</param>
    /// <param name="other">Another, and the table there.</param>
    public static RowMatch? TryFind(SqliteConnection connection, string table, (string Schema, TableShape Shape) one, (string Schema, TableShape Shape) other)
    {
        if (!one.Shape.Key.SequenceEqual(other.Shape.Key, StringComparer.OrdinalIgnoreCase))
        {
            return null;
        }

        if (one.Shape.Key.Count > 0 && !HasRowsWithoutKey(connection, one.Schema, table, one.Shape) && !HasRowsWithoutKey(connection, other.Schema, table, other.Shape))
        {
            return new RowMatch(one.Shape.Key, IsRowId: false);
        }

        var name = RowIdNames.FirstOrDefault(name => !one.Shape.Columns.Concat(other.Shape.Columns).Contains(name, StringComparer.OrdinalIgnoreCase));
        return name is not null && one.Shape.HasRowId && other.Shape.HasRowId ? new RowMatch([name], IsRowId: true) : null;
    }

    /// <summary>The condition that two rows are the same one, as SQLite compares keys.</summary>
    /// <param name="one">What the one row is called.</param>
    /// <param name="other">What the other is called.</param>
    public string Same(string one, string other) => string.Join(" AND ", Key.Select(SqliteConnections.Quote).Select(column => $"{one}.{column} IS {other}.{column}"));

    /// <summary>
    /// The condition that two rows have other values: by bytes and by kind, since to SQLite 1 and 1.0 are the same, and texts
    /// are what their collation says.
    /// </summary>
    /// <param name="columns">The columns to look at; of the key too, which may be the same to SQLite alone.</param>
    /// <param name="one">What the one row is called.</param>
    /// <param name="other">What the other is called.</param>
    public static string Differs(IEnumerable<string> columns, string one, string other) => string.Join(
        " OR ", columns.Select(SqliteConnections.Quote).Select(column => $"typeof({one}.{column}) <> typeof({other}.{column}) OR {one}.{column} COLLATE BINARY IS NOT {other}.{column}"));

    private static bool HasRowsWithoutKey(SqliteConnection connection, string schema, string table, TableShape shape) =>
        SqliteConnections.ScalarInt64(
            connection,
            $"SELECT EXISTS (SELECT 1 FROM {schema}.{SqliteConnections.Quote(table)} WHERE {string.Join(" OR ", shape.Key.Select(column => SqliteConnections.Quote(column) + " IS NULL"))})") != 0;
}
