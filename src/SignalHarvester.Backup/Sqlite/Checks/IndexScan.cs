using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// A pass over the entries of an index, in the order of its tree: each entry must stand behind the one before it. The sum of the
/// entries is compared with that of the rows (<see cref="TableScan"/>).
/// </summary>
internal sealed class IndexScan
{
    // What a statement consists of that reads each entry as it is stored, and nothing else. Anything that computes, filters, or looks
    // something up in the table would tell of the table instead.
    private static readonly HashSet<string> Reading = new(StringComparer.Ordinal)
    {
        "Init", "Transaction", "Goto", "OpenRead", "ColumnsUsed", "Explain", "Rewind", "Column", "IdxRowid", "RealAffinity", "ResultRow", "Next", "Halt",
        "Noop", "ReleaseReg",
    };

    private readonly IndexDefinition index;
    private readonly string sql;
    private readonly RecordOrder order;

    private IndexScan(IndexDefinition index, string sql)
    {
        this.index = index;
        this.sql = sql;
        order = new RecordOrder(index.Columns);
    }

    /// <summary>The columns of its entries, as SQL of the row.</summary>
    public IReadOnlyList<string> Columns => [.. index.Columns.Select(column => column.Sql)];

    /// <summary>Which rows have an entry, as SQL; null if all have one.</summary>
    public string? Condition => index.Condition;

    /// <summary>Plans a pass over an index; null if SQLite reads it in no way that tells what is stored in it.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="index">The index.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16.</param>
    public static IndexScan? Plan(SqliteConnection connection, IndexDefinition index, bool isUtf16)
    {
        if (index.RootPage == 0
            || index.Columns.Any(column => !column.IsKnown || (isUtf16 ? column.Collation != SqliteCollations.Binary : !SqliteCollations.Has(column.Collation))))
        {
            return null;
        }

        var sql = $"SELECT {string.Join(", ", index.Columns.Select(column => column.Sql))} FROM main.{index.Table.Name.Quoted} INDEXED BY {index.Name.Quoted}"
            + (index.Condition is { } condition ? $" WHERE {condition}" : string.Empty);
        return ReadsEntries(connection, index, sql) ? new IndexScan(index, sql) : null;
    }

    /// <summary>Makes the pass.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="seed">The seed of the check.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16.</param>
    /// <returns>The sum of the entries; null if they are not in order, or one is too long for this.</returns>
    /// <exception cref="SqliteException">What is stored cannot be read, or the connection's token was cancelled.</exception>
    public RecordSum? Run(SqliteConnection connection, long seed, bool isUtf16)
    {
        var entries = default(RecordSum);
        var (earlier, entry) = (new RecordBuffer(), new RecordBuffer());
        using var reader = new RecordReader(connection, sql, isUtf16);
        while (reader.Step())
        {
            entry.Clear();
            for (var column = 0; column < index.Columns.Count; column++)
            {
                if (!reader.TryAppend(column, entry))
                {
                    return null;
                }
            }

            if (entries.Count > 0 && !order.IsAscending(earlier.Bytes, entry.Bytes, index.IsUnique))
            {
                return null;
            }

            entries = entries.With(entry.Bytes, seed);
            (earlier, entry) = (entry, earlier);
        }

        return entries;
    }

    private static bool ReadsEntries(SqliteConnection connection, IndexDefinition index, string sql)
    {
        var program = SqlStatement.List(connection, "EXPLAIN " + sql, row => (Operation: row.Text(1), Operand: row.Number(3)));
        var opened = program.Where(step => step.Operation == "OpenRead").ToList();
        var columns = program.Where(step => step.Operation == "Column").Select(step => step.Operand).Distinct().Count()
            + (program.Exists(step => step.Operation == "IdxRowid") ? 1 : 0);
        return opened is [var tree] && tree.Operand == index.RootPage && columns == index.Columns.Count
            && program.TrueForAll(step => Reading.Contains(step.Operation));
    }
}
