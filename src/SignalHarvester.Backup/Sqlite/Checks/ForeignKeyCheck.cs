using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Runs <c>PRAGMA foreign_key_check</c>, https://sqlite.org/pragma.html#pragma_foreign_key_check . If only the application has
/// a key's collation, a stand-in compares, and a missing parent proves nothing. If the application may have replaced a
/// collation, a parent proves to be missing only if it stays missing with all letters folded.
/// </summary>
internal static class ForeignKeyCheck
{
    private enum Order
    {
        Known,
        Replaceable,
        Foreign,
    }

    /// <summary>Checks all foreign keys of a database.</summary>
    /// <returns>The tables with references to missing rows, and where these lead; and the same for references that only seem broken.</returns>
    public static (IReadOnlyList<string> Broken, IReadOnlyList<string> Unknown) Run(SqliteConnection connection)
    {
        var broken = Seeming(connection, "PRAGMA main.foreign_key_check").Keys
            .ToLookup(key => IsBroken(connection, key.Table, key.Parent, key.Key), key => (key.Table, key.Parent));
        return (
            [.. broken[true].Distinct().Select(key => $"{key.Table} has rows that refer to missing rows of {key.Parent}")],
            [.. broken[false].Distinct().Select(key => $"the references from {key.Table} to {key.Parent}")]);
    }

    /// <summary>Counts the rows of a table whose parent is missing for SQLite, and for the application too.</summary>
    public static long Violations(SqliteConnection connection, SqliteName table) => Seeming(connection, $"PRAGMA main.foreign_key_check({table.Quoted})")
        .Sum(found => Columns(connection, table, found.Key.Parent, found.Key.Key) is var columns && IsOf(columns) == Order.Replaceable
            ? WithoutParent(connection, table, found.Key.Parent, columns)
            : found.Value);

    /// <summary>Returns the keys by which SQLite finds no parents, and the number of rows of each.</summary>
    private static Dictionary<(SqliteName Table, SqliteName Parent, long Key), long> Seeming(SqliteConnection connection, string pragma)
    {
        var rows = new Dictionary<(SqliteName, SqliteName, long), long>();
        using var statement = SqlStatement.Prepare(connection, pragma);
        while (statement.Step())
        {
            var key = (statement.Name(0), statement.Name(2), statement.Number(3));
            rows[key] = rows.GetValueOrDefault(key) + 1;
        }

        return rows;
    }

    private static bool IsBroken(SqliteConnection connection, SqliteName table, SqliteName parent, long key)
    {
        var columns = Columns(connection, table, parent, key);
        return IsOf(columns) switch
        {
            Order.Known => true,
            Order.Replaceable => WithoutParent(connection, table, parent, columns) > 0,
            _ => false,
        };
    }

    private static Order IsOf(List<(SqliteName From, SqliteName To, SqliteName Collation)> columns) =>
        columns.TrueForAll(column => column.Collation == SqliteCollations.Binary) ? Order.Known
        : columns.TrueForAll(column => SqliteCollations.Has(column.Collation)) ? Order.Replaceable
        : Order.Foreign;

    /// <summary>
    /// Counts the rows whose parent is missing even with all letters folded. The parents are read one by one first, because SQLite
    /// may not find them in an index whose order differs from its own.
    /// </summary>
    private static long WithoutParent(
        SqliteConnection connection, SqliteName table, SqliteName parent, List<(SqliteName From, SqliteName To, SqliteName Collation)> columns)
    {
        LetterCollation.Provide(connection);
        var keys = string.Join(", ", columns.Select((column, place) => $"{column.To.Quoted} AS k{place}"));
        var same = columns.Select((column, place) =>
            $"p.k{place} COLLATE {(column.Collation == SqliteCollations.NoCase ? LetterCollation.Name : column.Collation.Quoted)} = c.{column.From.Quoted}");
        return SqlStatement.Number(
            connection,
            $"""
            WITH p AS MATERIALIZED (SELECT {keys} FROM main.{parent.Quoted})
            SELECT count(*) FROM main.{table.Quoted} c
            WHERE {string.Join(" AND ", columns.Select(column => $"c.{column.From.Quoted} IS NOT NULL"))} AND NOT EXISTS (SELECT 1 FROM p WHERE {string.Join(" AND ", same)})
            """);
    }

    /// <summary>Returns the columns of a key, each with the collation by which SQLite looks it up: the parent column's, or its primary key's.</summary>
    private static List<(SqliteName From, SqliteName To, SqliteName Collation)> Columns(
        SqliteConnection connection, SqliteName table, SqliteName parent, long key)
    {
        var definition = TableDefinition.Read(connection, parent, SqlStatement.List(
            connection, $"SELECT coalesce(sql, '') FROM main.sqlite_schema WHERE type = 'table' AND name = {parent.Literal} COLLATE NOCASE", row => row.Text(0))
            .FirstOrDefault(string.Empty));
        if (definition.Columns.Count == 0)
        {
            // A reference to a missing table finds nothing, whatever the collation.
            return [];
        }

        var primaryKey =
            SchemaPragmas.Columns(connection, "main", parent).Where(column => column.Key > 0).OrderBy(column => column.Key).Select(column => column.Name)
                .ToList();
        var orders = SchemaPragmas.Indexes(connection, "main", parent)
            .Where(index => index.IsPrimaryKey)
            .SelectMany(index => SchemaPragmas.Keys(connection, "main", index.Name))
            .ToList();
        return [.. SqlStatement.List(
            connection, $"PRAGMA main.foreign_key_list({table.Quoted})", row => (Key: row.Number(0), Place: row.Number(1), From: row.Name(3), To: row.Name(4)))
            .Where(column => column.Key == key).OrderBy(column => column.Place)
            .Select(column => column.To.Text.Length == 0 ? (column.From, primaryKey[(int)column.Place], Implied(column.Place)) : (column.From, column.To,
                Declared(column.To)))];

        SqliteName Implied(long place) => orders.Count == 0 ? SqliteCollations.Binary : orders[(int)place].Collation;

        SqliteName Declared(SqliteName column) => definition.Column(column)?.Collation ?? SqliteCollations.Binary;
    }
}
