using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Statements that read the stored entries of indexes in the order of their trees, whatever the indexes are defined over.
/// Disposing it makes the connection read its schema again.
/// </summary>
/// <remarks>
/// An index with rowids is read as an index with one more column, of a table that is never read. SQLite takes the rowid from the end
/// of an entry. The column before the last is the number in the rowid's proper place. The last column lies behind the entry, so that
/// SQLite reads the whole header of the entry. SQLite then reports an error for an entry whose parts do not fill it.
/// </remarks>
internal sealed class IndexEntries : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly Dictionary<IndexDefinition, string> sources = [];

    /// <summary>Prepares a connection for reading indexes.</summary>
    /// <exception cref="SqliteException">SQLite refuses it.</exception>
    public IndexEntries(SqliteConnection connection, IEnumerable<IndexDefinition> indexes)
    {
        this.connection = connection;
        using var names = ImposterSchema.FreeNames(connection).GetEnumerator();
        foreach (var index in indexes)
        {
            var (table, tree) = (Next(), Next());
            var stored = string.Join(", ", StoredOf(index));
            if (index.EndsWithRowId)
            {
                ImposterSchema.Define(connection, index.RootPage, $"CREATE TABLE {table}({stored}, behind)");
                ImposterSchema.Define(connection, index.RootPage, $"CREATE INDEX {tree} ON {table}({stored}, behind)");
                sources[index] = $"{table} INDEXED BY {tree}";
            }
            else
            {
                ImposterSchema.Define(connection, index.RootPage, $"CREATE TABLE {table}({stored}, behind, PRIMARY KEY({stored})) WITHOUT ROWID");
                sources[index] = table;
            }
        }

        string Next() => names.MoveNext() ? names.Current.Quoted : throw new InvalidOperationException("Names have no end.");
    }

    /// <summary>
    /// Returns the values to select for each entry: its columns, a meaningless value behind them and, if the index has rowids, the
    /// rowid again.
    /// </summary>
    public static IEnumerable<string> ValuesOf(IndexDefinition index) => [.. StoredOf(index), "behind", .. index.EndsWithRowId ? ["rowid"] : (string[])[]];

    /// <summary>Returns where to select them from, as SQL for FROM.</summary>
    public string SourceOf(IndexDefinition index) => sources[index];

    /// <inheritdoc/>
    public void Dispose() => ImposterSchema.Forget(connection);

    private static IEnumerable<string> StoredOf(IndexDefinition index) => Enumerable.Range(0, index.Columns.Count).Select(place => $"c{place}");
}
