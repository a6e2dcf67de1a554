using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>
/// What a row of a table is found again by in another state of the table: the primary key, or the rowid where there is none
/// or where it is not whole (SQLite lets the key of an ordinary table be NULL, as often as one likes).
/// </summary>
/// <param name="Key">The columns, or a name of the rowid.</param>
/// <param name="IsRowId">Whether it is the rowid.</param>
/// <param name="IsOrderKnown">Whether both states keep their keys in one order, and one that SQLite itself knows.</param>
internal sealed record RowMatch(IReadOnlyList<SqliteName> Key, bool IsRowId, bool IsOrderKnown)
{
    /// <summary>Finds it; null if nothing tells the rows of both apart.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The table.</param>
    /// <param name="one">A database within the connection, and the table there.</param>
    /// <param name="other">Another, and the table there.</param>
    public static RowMatch? TryFind(
        SqliteConnection connection, SqliteName table, (string Schema, TableShape Shape) one, (string Schema, TableShape Shape) other)
    {
        List<SqliteName> key = [.. one.Shape.Key.Select(column => column.Name)];
        if (!key.SequenceEqual(other.Shape.Key.Select(column => column.Name)))
        {
            return null;
        }

        if (key.Count > 0 && !HasRowsWithoutKey(connection, one.Schema, table, key) && !HasRowsWithoutKey(connection, other.Schema, table, key))
        {
            return new RowMatch(key, IsRowId: false, one.Shape.Key.SequenceEqual(other.Shape.Key) && !one.Shape.Key.Any(column => column.IsForeign));
        }

        var names = SqliteName.RowIdNames.Except(one.Shape.Columns).Except(other.Shape.Columns).Take(1).ToList();
        return names.Count > 0 && one.Shape.HasRowId && other.Shape.HasRowId ? new RowMatch(names, IsRowId: true, IsOrderKnown: true) : null;
    }

    /// <summary>The condition that two rows are the same one, as SQLite compares keys.</summary>
    /// <param name="one">What the one row is called.</param>
    /// <param name="other">What the other is called.</param>
    /// <param name="ofQuery">Whether the other is of a query.</param>
    public string Same(string one, string other, bool ofQuery) =>
        Joined(" AND ", Key.Select(column => $"{one}.{column.Quoted} IS {other}.{(ofQuery ? column.InQuery : column).Quoted}"));

    /// <summary>
    /// The condition that two rows are the same one by the bytes of their keys, where the other is of
    /// <see cref="ByBytes"/>. No index is looked into, for they may all be in an order that is not known here.
    /// </summary>
    /// <param name="one">What the one row is called.</param>
    /// <param name="other">What the other is called.</param>
    public string SameBytes(string one, string other) =>
        Joined(" AND ", Key.Select(column => $"+{one}.{column.Quoted} COLLATE BINARY IS {other}.{column.InQuery.Quoted}"));

    /// <summary>The columns of a table as <see cref="SameBytes"/> looks for them.</summary>
    /// <param name="columns">All that are wanted.</param>
    public string ByBytes(IEnumerable<SqliteName> columns) => string.Join(
        ", ", Key.Union(columns).Select(
            column => Key.Contains(column) ? $"+{column.Quoted} COLLATE BINARY AS {column.InQuery.Quoted}" : $"{column.Quoted} AS {column.InQuery.Quoted}"));

    /// <summary>
    /// The condition that two rows have other values: by bytes and by kind, since to SQLite 1 and 1.0 are the same, and texts
    /// are what their collation says.
    /// </summary>
    /// <param name="columns">The columns to look at; of the key too, which may be the same to SQLite alone.</param>
    /// <param name="one">What the one row is called.</param>
    /// <param name="other">What the other is called.</param>
    /// <param name="ofQuery">Whether the other is of a query.</param>
    public static string Differs(IReadOnlyCollection<SqliteName> columns, string one, string other, bool ofQuery) => columns.Count == 0 ? "0" : Joined(
        " OR ",
        columns.Select(column => (One: $"{one}.{column.Quoted}", Other: $"{other}.{(ofQuery ? column.InQuery : column).Quoted}"))
            .Select(column => $"(typeof({column.One}) <> typeof({column.Other}) OR {column.One} COLLATE BINARY IS NOT {column.Other})"));

    private static bool HasRowsWithoutKey(SqliteConnection connection, string schema, SqliteName table, IReadOnlyCollection<SqliteName> key) =>
        SqlStatement.Number(
            connection,
            $"SELECT EXISTS (SELECT 1 FROM {schema}.{table.Quoted} WHERE {Joined(" OR ", key.Select(column => column.Quoted + " IS NULL"))})") != 0;

    /// <summary>Joins terms to a tree that is as flat as can be: SQLite takes no expression that is 1,000 operators deep.</summary>
    private static string Joined(string operation, IEnumerable<string> terms)
    {
        List<string> joined = [.. terms];
        while (joined.Count > 1)
        {
            joined = [.. joined.Chunk(2).Select(pair => pair.Length == 1 ? pair[0] : $"({pair[0]}{operation}{pair[1]})")];
        }

        return joined[0];
    }
}
