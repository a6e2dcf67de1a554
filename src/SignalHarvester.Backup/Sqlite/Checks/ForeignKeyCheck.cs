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
    /// <returns>The rows that refer to missing rows, by key; and the references that only seem broken.</returns>
    /// <exception cref="SqliteException">SQLITE_ERROR: a foreign key names a missing table or column, so that SQLite can check none.</exception>
    public static (IReadOnlyList<ForeignKeyViolation> Broken, IReadOnlyList<string> Unknown) Run(SqliteConnection connection)
    {
        var broken = new List<ForeignKeyViolation>();
        var unknown = new List<string>();
        foreach (var ((table, parent, key), seeming) in Seeming(connection, "PRAGMA main.foreign_key_check"))
        {
            var columns = Columns(connection, table, parent, key);
            var rows = IsOf(columns) switch
            {
                Order.Known => seeming,
                Order.Replaceable => WithoutParent(connection, table, parent, columns),
                _ => 0,
            };
            if (rows > 0)
            {
                broken.Add(new ForeignKeyViolation
                {
                    Table = table.ToString(),
                    Columns = string.Join(", ", Referring(connection, table, key)),
                    Parent = parent.ToString(),
                    Rows = rows,
                });
            }
            else if (IsOf(columns) == Order.Foreign)
            {
                unknown.Add($"the references from {table} to {parent}");
            }
        }

        return (broken, [.. unknown.Distinct(StringComparer.Ordinal)]);
    }

    /// <summary>Returns how many references SQLite has to follow to check all foreign keys.</summary>
    /// <param name="connection">The database.</param>
    /// <param name="rowCounts">The rows of each of its tables.</param>
    public static long CountReferences(SqliteConnection connection, IReadOnlyDictionary<string, long> rowCounts) =>
        SqlStatement.List(connection, "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE '%references%'", row => row.Name(0))
            .Sum(table => rowCounts.GetValueOrDefault(table.ToString()) * SqlStatement.List(
                connection, $"PRAGMA main.foreign_key_list({table.Quoted})", row => row.Number(0)).Distinct().Count());

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

    private static List<SqliteName> Referring(SqliteConnection connection, SqliteName table, long key) =>
        [.. SqlStatement.List(
            connection, $"PRAGMA main.foreign_key_list({table.Quoted})", row => (Key: row.Number(0), Place: row.Number(1), From: row.Name(3)))
            .Where(column => column.Key == key).OrderBy(column => column.Place).Select(column => column.From)];

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
