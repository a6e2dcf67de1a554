using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// A pass over the entries of an index, in the order of its tree: each entry must stand behind the one before it. The sum of the
/// entries is compared with that of the rows (<see cref="TableScan"/>).
/// </summary>
/// <param name="index">The index.</param>
internal sealed class IndexScan(IndexDefinition index)
{
    private readonly RecordOrder order = new(index.Columns);

    /// <summary>The index.</summary>
    public IndexDefinition Index => index;

    /// <summary>Makes the pass.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="statement">The statement that reads the entries (<see cref="IndexEntries"/>).</param>
    /// <param name="seed">The seed of the check.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16.</param>
    /// <returns>The sum of the entries; null if they are not in order, or one is too long for this, or no entry at all.</returns>
    /// <exception cref="SqliteException">What is stored cannot be read, or the connection's token was cancelled.</exception>
    public RecordSum? Run(SqliteConnection connection, string statement, long seed, bool isUtf16)
    {
        var sum = default(RecordSum);
        var (earlier, entry) = (new RecordBuffer(), new RecordBuffer());
        var columns = index.Columns.Count;
        using var reader = new RecordReader(connection, statement, isUtf16);
        while (reader.Step())
        {
            if (!reader.TryRead(columns, entry)
                || (index.EndsWithRowId && !entry.EndsWith(reader.Number(columns + 1)))
                || (sum.Count > 0 && !order.IsAscending(earlier.Bytes, entry.Bytes, index.IsUnique)))
            {
                return null;
            }

            sum = sum.With(entry.Bytes, seed);
            (earlier, entry) = (entry, earlier);
        }

        return sum;
    }
}
