using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// A pass over the entries of an index, in the order of its tree. Each entry must sort after the one before it. The sum of the
/// entries is compared with the sum of the rows (<see cref="TableScan"/>).
/// </summary>
/// <param name="index">The index.</param>
internal sealed class IndexScan(IndexDefinition index)
{
    private readonly RecordOrder order = new(index.Columns);

    /// <summary>The index.</summary>
    public IndexDefinition Index => index;

    /// <summary>Makes the pass.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="entries">The entries.</param>
    /// <param name="seed">The seed of the check.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16.</param>
    /// <returns>
    /// The sum of the entries; null if they are out of order, or if one is too long for this check, is no entry at all, or is not found.
    /// </returns>
    /// <exception cref="SqliteException">The stored data cannot be read, or the connection's token was cancelled.</exception>
    public RecordSum? Run(SqliteConnection connection, IndexEntries entries, long seed, bool isUtf16)
    {
        var sum = default(RecordSum);
        var withNull = 0L;
        var source = entries.Open(index);
        var (earlier, entry) = (new RecordBuffer(), new RecordBuffer());
        int[] columns = [.. Enumerable.Range(0, index.Columns.Count)];
        var isWhole = RecordPass.Run(connection, IndexEntries.ValuesOf(index), source("entry"), isUtf16, row =>
        {
            if (!row.TryRead(columns, entry)
                || (index.EndsWithRowId && !entry.EndsWith(row.Number(columns.Length + 1)))
                || (sum.Count > 0 && !order.IsAscending(earlier.Bytes, entry.Bytes, index.IsUnique)))
            {
                return false;
            }

            sum = sum.With(entry.Bytes, seed);
            withNull += entry.HasNull ? 1 : 0;
            (earlier, entry) = (entry, earlier);
            return true;
        });
        return isWhole && (withNull == 0 || entries.CountFound(index, source) == withNull) ? sum : null;
    }
}
