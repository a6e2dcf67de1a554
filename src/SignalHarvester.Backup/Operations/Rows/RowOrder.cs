using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>
/// Decides whether SQLite can put rows of a backup into the indexes of a live database, or only the application can, because it
/// may have functions and collations of its own under SQLite's names. The existing entries of both states are the evidence. If
/// they are not SQLite's, somebody replaced something. And where they are, rows of only ASCII are in SQLite's place for
/// everybody.
/// </summary>
internal static class RowOrder
{
    /// <summary>Returns the reason why only the application can do it; null if SQLite can.</summary>
    /// <param name="now">The live database, with the backup attached to it.</param>
    /// <param name="then">The backup.</param>
    /// <param name="attached">The name of the backup in the live database's connection.</param>
    /// <param name="table">The table for the rows.</param>
    /// <param name="columns">Their columns.</param>
    /// <param name="wanted">The rows, as a source for SELECT.</param>
    /// <param name="statements">The statements that insert them.</param>
    /// <exception cref="SqliteException">SQLite lacks something that a statement needs.</exception>
    public static string? WhyForeign(
        SqliteConnection now, SqliteConnection then, string attached, SqliteName table, IReadOnlyList<SqliteName> columns, string wanted,
        IEnumerable<string> statements)
    {
        var touched = statements.SelectMany(sql => TouchedTables.Of(now, sql)).Distinct().ToList();
        foreach (var (schema, name) in touched.Where(one => one.Schema == "main" || one.Schema == attached))
        {
            var connection = schema == "main" ? now : then;
            if (StoredOrder.Contradiction(connection, "main", name, [.. Replaceable(connection, name).Select(index => index.Name)]) is { } index)
            {
                return
                    $"{index}{(name == table ? string.Empty : $" of '{name}'")} has other entries, or another order, than SQLite's own functions and collations produce{(schema == "main" ? string.Empty : " in the backup")}, so only its application can add to it";
            }
        }

        var before = Replaceable(then, table);
        return Replaceable(now, table)
            .Select(index => WhyUndecided(now, attached, table, columns, wanted, index, before.Exists(index.IsLike)))
            .FirstOrDefault(reason => reason is not null);
    }

    private static List<ReplaceableIndex> Replaceable(SqliteConnection connection, SqliteName table)
    {
        var sql = SqlStatement.List(
            connection, $"SELECT coalesce(sql, '') FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name = {table.Literal} COLLATE NOCASE",
            row => row.Text(0));
        if (sql.Count == 0)
        {
            return [];
        }

        var definition = TableDefinition.Read(connection, table, sql[0]);
        return [.. IndexDefinition.Of(connection, definition)
            .Where(index => index.Uses.HasReplaceableFunction || index.Uses.Collations.Count > 0)
            .Select(index => ReplaceableIndex.Read(connection, index, definition))];
    }

    /// <summary>Returns the doubt that remains even if both states agree with SQLite: there may be too few rows with non-ASCII letters to tell.</summary>
    private static string? WhyUndecided(
        SqliteConnection connection, string attached, SqliteName table, IReadOnlyList<SqliteName> columns, string wanted, ReplaceableIndex index, bool wasThere)
    {
        // The value of a computed column depends on other columns.
        if (!(index.RestsOn.All(columns.Contains) ? index.RestsOn : columns).Any(column => HasOtherLetters(connection, wanted, column)))
        {
            return null;
        }

        if (!wasThere)
        {
            return
                $"the rows contain non-ASCII letters, and its index '{index.Name}', which the backup does not have, uses an order or functions that its application may have replaced";
        }

        LetterCollation.Provide(connection);
        foreach (var (column, isFirst) in index.CaseFolded.Where(folded => columns.Contains(folded.Column)))
        {
            string Values(string from) => $"SELECT {(from == wanted ? column.InQuery : column).Quoted} COLLATE BINARY AS k FROM {from}";
            var (here, there) = ($"main.{table.Quoted}", $"{attached}.{table.Quoted}");
            if (IsFoldingSeen(connection, $"{Values(here)} UNION {Values(wanted)}")
                && !(isFirst && (IsFoldingSeen(connection, Values(here)) || IsFoldingSeen(connection, Values(there)))))
            {
                return
                    $"an application whose NOCASE folds all letters orders them differently in index '{index.Name}' than SQLite, and nothing in the table shows which order its application uses";
            }
        }

        return null;
    }

    private static bool HasOtherLetters(SqliteConnection connection, string wanted, SqliteName column) => SqlStatement.Number(
        connection,
        $"SELECT EXISTS (SELECT 1 FROM {wanted} WHERE typeof({column.InQuery.Quoted}) = 'text' AND {column.InQuery.Quoted} GLOB '*[^' || char(1) || '-' || char(127) || ']*')")
        != 0;

    /// <summary>Whether folding all letters changes the order of texts, or makes other texts equal.</summary>
    private static bool IsFoldingSeen(SqliteConnection connection, string values) => SqlStatement.Number(
        connection,
        $"SELECT EXISTS (SELECT 1 FROM (SELECT dense_rank() OVER (ORDER BY k COLLATE NOCASE) AS one, dense_rank() OVER (ORDER BY k COLLATE {LetterCollation.Name}) AS other FROM ({values})) WHERE one <> other)")
        != 0;
}
