using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>
/// Finds a row of a table in another state of the table: by the primary key, or by the rowid if there is no key or it is not
/// complete (SQLite allows NULL in the key of an ordinary table, any number of times).
/// </summary>
/// <param name="Key">The columns, or a name of the rowid.</param>
/// <param name="IsRowId">Whether it is the rowid.</param>
/// <param name="IsOrderKnown">Whether both states keep their keys in the same order, and SQLite itself knows that order.</param>
internal sealed record RowMatch(IReadOnlyList<SqliteName> Key, bool IsRowId, bool IsOrderKnown)
{
    /// <summary>Chooses the columns; null if nothing identifies a row in both states.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The table.</param>
    /// <param name="one">A database within the connection, and its table.</param>
    /// <param name="other">Another one, and its table.</param>
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

    /// <summary>Returns the condition that two rows are the same one by SQLite's comparison of keys.</summary>
    /// <param name="one">The name of the one row.</param>
    /// <param name="other">The name of the other row.</param>
    /// <param name="ofQuery">Whether the other row comes from a query.</param>
    public string Same(string one, string other, bool ofQuery) =>
        Joined(" AND ", Key.Select(column => $"{one}.{column.Quoted} IS {other}.{(ofQuery ? column.InQuery : column).Quoted}"));

    /// <summary>
    /// Returns the condition that two rows are the same one by the bytes of their keys, if the other one comes from
    /// <see cref="ByBytes"/>. It uses no index, because every index may be in an order that is unknown here.
    /// </summary>
    /// <param name="one">The name of the one row.</param>
    /// <param name="other">The name of the other row.</param>
    public string SameBytes(string one, string other) =>
        Joined(" AND ", Key.Select(column => $"+{one}.{column.Quoted} COLLATE BINARY IS {other}.{column.InQuery.Quoted}"));

    /// <summary>Returns the columns of a table in the form for <see cref="SameBytes"/>.</summary>
    /// <param name="columns">The wanted columns.</param>
    public string ByBytes(IEnumerable<SqliteName> columns) => string.Join(
        ", ", Key.Union(columns).Select(
            column => Key.Contains(column) ? $"+{column.Quoted} COLLATE BINARY AS {column.InQuery.Quoted}" : $"{column.Quoted} AS {column.InQuery.Quoted}"));

    /// <summary>
    /// Returns the condition that two rows have different values. It compares bytes and kinds, because to SQLite 1 and 1.0 are the
    /// same, and a collation can make different texts equal.
    /// </summary>
    /// <param name="columns">The columns to compare, including those of the key, which may be the same only to SQLite.</param>
    /// <param name="one">The name of the one row.</param>
    /// <param name="other">The name of the other row.</param>
    /// <param name="ofQuery">Whether the other row comes from a query.</param>
    public static string Differs(IReadOnlyCollection<SqliteName> columns, string one, string other, bool ofQuery) => columns.Count == 0 ? "0" : Joined(
        " OR ",
        columns.Select(column => (One: $"{one}.{column.Quoted}", Other: $"{other}.{(ofQuery ? column.InQuery : column).Quoted}"))
            .Select(column => $"(typeof({column.One}) <> typeof({column.Other}) OR {column.One} COLLATE BINARY IS NOT {column.Other})"));

    private static bool HasRowsWithoutKey(SqliteConnection connection, string schema, SqliteName table, IReadOnlyCollection<SqliteName> key) =>
        SqlStatement.Number(
            connection,
            $"SELECT EXISTS (SELECT 1 FROM {schema}.{table.Quoted} WHERE {Joined(" OR ", key.Select(column => column.Quoted + " IS NULL"))})") != 0;

    /// <summary>Joins terms to a tree that is as flat as possible: SQLite refuses an expression of a depth of 1,000 operators.</summary>
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
