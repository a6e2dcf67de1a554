using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Statements that read the entries of indexes as they are stored, in the order of their trees, whatever the indexes are made of.
/// Disposing it makes the connection read its schema anew.
/// </summary>
/// <remarks>
/// An index with row numbers is read as an index of two more columns, of a table that is never read: SQLite takes the number of the row
/// from the end of an entry, the column before the last is the number at the place where it belongs, and the last one is behind the
/// entry, so that the whole of its header is read. An entry whose parts do not fill it is an error to SQLite then.
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
    /// What to select for each entry: its columns, a value behind them that means nothing and, where the index has the numbers of rows,
    /// that number again.
    /// </summary>
    public static IEnumerable<string> ValuesOf(IndexDefinition index) => [.. StoredOf(index), "behind", .. index.EndsWithRowId ? ["rowid"] : (string[])[]];

    /// <summary>Where to select it from, as it stands behind FROM.</summary>
    public string SourceOf(IndexDefinition index) => sources[index];

    /// <inheritdoc/>
    public void Dispose() => ImposterSchema.Forget(connection);

    private static IEnumerable<string> StoredOf(IndexDefinition index) => Enumerable.Range(0, index.Columns.Count).Select(place => $"c{place}");
}
