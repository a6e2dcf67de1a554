using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// A pass over the rows of a table, in the order of its tree, that sums up the entries that each of its indexes must have. The rows of
/// a table without rowids must be in the order of its key.
/// </summary>
internal sealed class TableScan
{
    private readonly List<string> values;
    private readonly string source;
    private readonly List<(IndexScan Index, int[] Columns, int Condition)> indexes;
    private readonly (RecordOrder Order, int[] Columns)? key;

    private TableScan(
        List<string> values, string source, List<(IndexScan Index, int[] Columns, int Condition)> indexes, (RecordOrder Order, int[] Columns)? key)
    {
        this.values = values;
        this.source = source;
        this.indexes = indexes;
        this.key = key;
    }

    /// <summary>The passes over its indexes.</summary>
    public IEnumerable<IndexScan> Indexes => indexes.Select(index => index.Index);

    /// <summary>Plans a pass over a table; null if one of its indexes cannot be compared.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The table.</param>
    /// <param name="indexes">All its indexes.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16.</param>
    public static TableScan? Plan(SqliteConnection connection, TableDefinition table, IReadOnlyList<IndexDefinition> indexes, bool isUtf16)
    {
        var tree = indexes.FirstOrDefault(index => index.RootPage == 0);
        if (tree is not null && !tree.Columns.All(column => RecordOrder.Has(column.Collation, isUtf16)))
        {
            return null;
        }

        var selected = new List<string>();
        var scans = new List<(IndexScan Index, int[] Columns, int Condition)>();
        foreach (var index in indexes.Where(index => index.RootPage > 0))
        {
            if (IndexEntries.ValuesOf(index).Count() > MostValues(connection)
                || !index.Columns.All(column => column.IsKnown && RecordOrder.Has(column.Collation, isUtf16)))
            {
                return null;
            }

            var condition = index.Condition is null ? -1 : Place($"({index.Condition}) IS TRUE");
            scans.Add((new IndexScan(index), [.. index.Columns.Select(column => Place(column.Sql))], condition));
        }

        var keys = tree?.Columns.Where(column => column.IsKey).ToList();
        (RecordOrder, int[])? key = keys is null ? null : (new RecordOrder(keys), [.. keys.Select(column => Place(column.Sql))]);
        return selected.Count <= MostValues(connection) && ReadsOwnTree(connection, selected, table)
            ? new TableScan(selected, table.Rows, scans, key)
            : null;

        int Place(string value)
        {
            if (selected.IndexOf(value) is >= 0 and var place)
            {
                return place;
            }

            selected.Add(value);
            return selected.Count - 1;
        }
    }

    /// <summary>Makes the pass.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="seed">The seed of the check.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16.</param>
    /// <returns>The sums of the indexes, in their order; null if a row is too long for this check, or out of the order of the key.</returns>
    /// <exception cref="SqliteException">The stored data cannot be read, or the connection's token was cancelled.</exception>
    public RecordSum[]? Run(SqliteConnection connection, long seed, bool isUtf16)
    {
        var sums = new RecordSum[indexes.Count];
        var record = new RecordBuffer();
        var (earlier, later) = (new RecordBuffer(), new RecordBuffer());
        var isFirst = true;
        var isWhole = RecordPass.Run(connection, values, source, isUtf16, row =>
        {
            for (var index = 0; index < sums.Length; index++)
            {
                var (_, columns, condition) = indexes[index];
                if (condition >= 0 && row.Number(condition) == 0)
                {
                    continue;
                }

                if (!row.TryRead(columns, record))
                {
                    return false;
                }

                sums[index] = sums[index].With(record.Bytes, seed);
            }

            if (key is { } tree)
            {
                if (!row.TryRead(tree.Columns, later) || (!isFirst && !tree.Order.IsAscending(earlier.Bytes, later.Bytes, isUnique: false)))
                {
                    return false;
                }

                (earlier, later, isFirst) = (later, earlier, false);
            }

            return true;
        });
        return isWhole ? sums : null;
    }

    /// <summary>Returns the most values that SQLite passes to a function, or has in a table.</summary>
    private static int MostValues(SqliteConnection connection) => Math.Min(
        raw.sqlite3_limit(connection.Handle, raw.SQLITE_LIMIT_FUNCTION_ARG, -1), raw.sqlite3_limit(connection.Handle, raw.SQLITE_LIMIT_COLUMN, -1));

    /// <summary>Whether a query reads the table's own tree and nothing else, whatever the planner prefers.</summary>
    private static bool ReadsOwnTree(SqliteConnection connection, List<string> values, TableDefinition table) =>
        SqlStatement.List(
            connection, $"EXPLAIN SELECT {string.Join(", ", values.DefaultIfEmpty("1"))} FROM {table.Rows}",
            row => (Operation: row.Text(1), Operand: row.Number(3)))
            .Where(step => step.Operation == "OpenRead").ToList() is [var tree] && tree.Operand == table.RootPage;
}
