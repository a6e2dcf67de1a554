using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The examination of an index whose entries differ from what SQLite computes here: whether its stored values are those of its
/// table's rows, whether SQLite knows its order, and whether its application can have computed the computed values.
/// </summary>
/// <param name="Damage">What is wrong with it; null if nothing is.</param>
/// <param name="Inconsistencies">How it differs from SQLite's own results without being damaged.</param>
internal sealed record IndexExamination(string? Damage, IReadOnlyList<string> Inconsistencies)
{
    // For a text of these characters alone, every lower() and upper() returns the same. The letter i is excluded, because Turkish folds it differently.
    private const string NotPlain = "*[^ -HJ-hj-~]*";

    private static readonly HashSet<string> CaseFunctions = new(StringComparer.Ordinal) { "lower", "upper" };

    /// <summary>Examines an index, in time that grows only with its entries.</summary>
    /// <param name="connection">The connection. It reads its schema again afterwards.</param>
    /// <param name="index">The index.</param>
    /// <param name="missing">The functions that only its application has.</param>
    public static IndexExamination Of(SqliteConnection connection, IndexDefinition index, IReadOnlySet<string> missing)
    {
        if (index.RootPage == 0)
        {
            return new IndexExamination(null, []);
        }

        try
        {
            using var tree = new IndexTree(connection, index);
            return Examine(connection, index, tree, missing);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode is raw.SQLITE_ERROR or raw.SQLITE_CONSTRAINT)
        {
            // SQLite refuses to store a row whose index entries it cannot compute, so such a row was changed by other means than SQLite.
            return index.Uses.IsForeign(missing)
                ? new IndexExamination(null, [])
                : new IndexExamination(
                    $"index {index.Name.Text} cannot be computed for every row of {index.Table.Name.Text}, so a row is damaged: {exception.Message}", []);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode != raw.SQLITE_INTERRUPT)
        {
            return new IndexExamination($"index {index.Name.Text} cannot be read: {exception.Message}", []);
        }
    }

    private static IndexExamination Examine(SqliteConnection connection, IndexDefinition index, IndexTree tree, IReadOnlySet<string> missing)
    {
        if (!HasRows(connection, index, tree))
        {
            return new IndexExamination($"the entries of index {index.Name.Text} differ from the rows of {index.Table.Name.Text}", []);
        }

        var inconsistencies = new List<string>();
        var order = index.Uses;
        if (!index.Columns.Any(column => !SqliteCollations.Has(column.Collation)))
        {
            var (misplaced, repeated) = Neighbours(connection, index, tree);
            if (misplaced > 0 && !order.HasReplaceableOrder)
            {
                return new IndexExamination($"{HowMany(misplaced, "entry", "entries")} of index {index.Name.Text} are out of order", []);
            }

            if (misplaced > 0)
            {
                inconsistencies.Add(
                    $"index {index.Name.Text} has {HowMany(misplaced, "entry", "entries")} in an order that differs from SQLite's own collation: correct if the application has its own, otherwise REINDEX {index.Name.Quoted} repairs it");
            }

            if (index.IsUnique && repeated > 0)
            {
                inconsistencies.Add($"unique index {index.Name.Text} has {HowMany(repeated, "duplicate entry", "duplicate entries")}");
            }
        }

        List<SqlDependencies> computing =
        [
            .. index.Columns.Select(column => column.Uses).OfType<SqlDependencies>()
                .Append(index.ConditionUses)
                .Where(uses => uses.HasReplaceableFunction || uses.Collations.Count > 0),
        ];
        if (computing.Count > 0 && !computing.Exists(uses => uses.IsForeign(missing)) && Differing(connection, index, tree, plain: false) is > 0 and var others)
        {
            if (computing.TrueForAll(uses => uses.Collations.Count == 0 && uses.ReplaceableFunctions.All(CaseFunctions.Contains))
                && Differing(connection, index, tree, plain: true) > 0)
            {
                return new IndexExamination(
                    $"index {index.Name.Text} has entries for rows of {index.Table.Name.Text} that no function can return: a row or the index is damaged", []);
            }

            inconsistencies.Add(
                $"index {index.Name.Text} has entries for {HowMany(others, "row")} that differ from SQLite's own results: correct if the application has its own functions, otherwise those rows or the index are damaged");
        }

        return new IndexExamination(null, inconsistencies);
    }

    /// <summary>
    /// Whether the entries match the table's rows in everything that is stored or certain: one entry for each row that must have one,
    /// as far as SQLite alone can decide that.
    /// </summary>
    private static bool HasRows(SqliteConnection connection, IndexDefinition index, IndexTree tree)
    {
        var certain = index.Columns.Index().Where(column => column.Item.IsCertain).ToList();
        var here = $"SELECT {List(certain, column => Rounded($"+c{column.Index}", column.Item))} FROM {tree.Name}";
        var rows = Rows(index);
        var there = $"SELECT {List(certain, column => Rounded(column.Item.Sql + " COLLATE BINARY", column.Item))} FROM {rows}";
        var entries = SqlStatement.Number(connection, $"SELECT count(*) FROM {tree.Name}");
        if (index is not { Condition: not null, IsConditionCertain: false } && SqlStatement.Number(connection, $"SELECT count(*) FROM {rows}") != entries)
        {
            return false;
        }

        if (certain.Count == 0 || SqlStatement.Number(connection, $"SELECT EXISTS ({here} EXCEPT {there})") != 0)
        {
            return certain.Count == 0;
        }

        // With the rowid or the key, no two entries are equal. Without them, each entry must occur as often as in the table.
        return index.Columns.All(column => column.IsKnown)
            ? SqlStatement.Number(connection, $"SELECT count(*) FROM (SELECT DISTINCT {List(certain, column => $"+c{column.Index}")} FROM {tree.Name})")
                == entries
            : SqlStatement.Number(
                connection,
                $"SELECT EXISTS (SELECT *, count(*) FROM ({here}) GROUP BY {Places(certain.Count)} EXCEPT SELECT *, count(*) FROM ({there}) GROUP BY {Places(certain.Count)})")
                == 0;
    }

    /// <summary>Counts the entries that do not sort after the one before them, and those that equal it in all columns that must differ.</summary>
    private static (long Misplaced, long Repeated) Neighbours(SqliteConnection connection, IndexDefinition index, IndexTree tree)
    {
        var columns = index.Columns.Index().ToList();
        var keys = columns.Where(column => column.Item.IsKey).ToList();
        // SQLite's comparison returns NULL for a NULL, which sorts before all other values.
        var misplaced = string.Concat(columns.Select(column => $" WHEN {After("p", "k", column)} THEN 1 WHEN {After("k", "p", column)} THEN 0"));
        var repeated = string.Join(" AND ", keys.Select(column => $"p{column.Index} COLLATE {column.Item.Collation.Quoted} = k{column.Index}"));
        using var statement = SqlStatement.Prepare(connection, $"""
            SELECT total(CASE{misplaced} ELSE 0 END), total({repeated}) FROM (
              SELECT {List(columns, column => $"c{column.Index} AS k{column.Index}")}, {List(columns, column => $"lag(c{column.Index}) OVER () AS p{column.Index}")}, row_number() OVER () AS place FROM {tree.Name})
            WHERE place > 1
            """);
        _ = statement.Step();
        return (statement.Number(0), statement.Number(1));

        static string After(string one, string other, (int Index, IndexColumn Item) column)
        {
            var (larger, smaller) = column.Item.IsDescending ? (other, one) : (one, other);
            return
                $"coalesce({larger}{column.Index} COLLATE {column.Item.Collation.Quoted} > {smaller}{column.Index}, {larger}{column.Index} IS NOT NULL AND {smaller}{column.Index} IS NULL)";
        }
    }

    /// <summary>Counts the rows without an entry that has all their values as SQLite computes them.</summary>
    private static long Differing(SqliteConnection connection, IndexDefinition index, IndexTree tree, bool plain)
    {
        var known = index.Columns.Index().Where(column => column.Item.IsKnown).ToList();
        var texts = index.Table.Columns.Where(column => column.Computation.Count == 0)
            .Select(column =>
                $"(typeof({column.Name.Quoted}) NOT IN ('text', 'real') OR (typeof({column.Name.Quoted}) = 'text' AND {column.Name.Quoted} NOT GLOB '{NotPlain}'))");
        var conditions = (plain ? texts : []).Append(index.Condition is null ? "1" : $"({index.Condition})");
        return SqlStatement.Number(connection, $"""
            SELECT count(*) FROM (
              SELECT {List(known, column => Rounded(column.Item.Sql + " COLLATE BINARY", column.Item))} FROM {index.Table.Rows} WHERE {string.Join(" AND ", conditions)}
              EXCEPT SELECT {List(known, column => Rounded($"+c{column.Index}", column.Item))} FROM {tree.Name})
            """);
    }

    private static string Rows(IndexDefinition index) =>
        index is { Condition: { } condition, IsConditionCertain: true } ? $"{index.Table.Rows} WHERE ({condition})" : index.Table.Rows;

    // Processors round in different ways.
    private static string Rounded(string value, IndexColumn column) =>
        column.Uses is null ? value : $"CASE typeof({value}) WHEN 'real' THEN format('%.12g', {value}) ELSE {value} END";

    private static string List<T>(IEnumerable<T> items, Func<T, string> sql) => string.Join(", ", items.Select(sql));

    private static string Places(int count) => string.Join(", ", Enumerable.Range(1, count).Select(place => place.ToString(CultureInfo.InvariantCulture)));

    private static string HowMany(long count, string one, string? many = null) =>
        count == 1 ? $"1 {one}" : string.Create(CultureInfo.InvariantCulture, $"{count} {many ?? one + "s"}");
}
