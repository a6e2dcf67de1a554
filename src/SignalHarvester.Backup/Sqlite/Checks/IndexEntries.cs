using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Statements that read the stored entries of indexes in the order of their trees, whatever the indexes are defined over.
/// Disposing it makes the connection read its schema again.
/// </summary>
/// <remarks>
/// An index is read as an index with one more column, of a table that is never read. SQLite takes a rowid from the end of an entry. The
/// column before the last is the number in the rowid's proper place. The last column lies behind the entry, so that SQLite reads the
/// whole header of the entry. SQLite then reports an error for an entry whose parts do not fill it.
/// </remarks>
/// <param name="connection">The connection.</param>
internal sealed class IndexEntries(SqliteConnection connection) : IDisposable
{
    private readonly IEnumerator<SqliteName> names = ImposterSchema.FreeNames(connection).GetEnumerator();

    /// <summary>
    /// Returns the values to select for each entry: its columns, a meaningless value behind them and, if the index has rowids, the
    /// rowid again.
    /// </summary>
    public static IEnumerable<string> ValuesOf(IndexDefinition index) => [.. StoredOf(index), "behind", .. index.EndsWithRowId ? ["rowid"] : (string[])[]];

    /// <summary>Opens an index, and returns where to select its entries from, as SQL for FROM with an alias in it.</summary>
    /// <exception cref="SqliteException">SQLite refuses it. No index is open afterwards.</exception>
    public Func<string, string> Open(IndexDefinition index)
    {
        var (table, tree) = (Next(), Next());
        var columns = string.Join(", ", index.Columns.Select((column, place) => $"c{place} COLLATE {column.Collation.Quoted}"));
        var keys = string.Join(", ", index.Columns.Select((column, place) => $"c{place}{(column.IsDescending ? " DESC" : string.Empty)}"));
        ImposterSchema.Define(connection, index.RootPage, $"CREATE TABLE {table}({columns}, behind)");
        ImposterSchema.Define(connection, index.RootPage, $"CREATE INDEX {tree} ON {table}({keys}, behind)");
        return alias => $"{table} AS {alias} INDEXED BY {tree}";
    }

    /// <summary>Opens an index and counts its entries.</summary>
    /// <exception cref="SqliteException">They cannot be read.</exception>
    public long Count(IndexDefinition index)
    {
        // For count(*), SQLite would take the table, which is none.
        return SqlStatement.Number(connection, $"SELECT count(typeof(c0)) FROM {Open(index)("entry")}");
    }

    /// <summary>
    /// Counts the entries with a NULL that SQLite finds by their own values. A value whose type is 11, which is reserved, reads as NULL
    /// but does not equal it (https://sqlite.org/fileformat2.html#record_format ).
    /// </summary>
    /// <param name="index">The index, whose entries are in order.</param>
    /// <param name="source">What <see cref="Open"/> returned for it.</param>
    public long CountFound(IndexDefinition index, Func<string, string> source)
    {
        // A search that a wrong entry leads astray may end at another entry, so what it found is compared once more.
        var stored = StoredOf(index).ToList();
        return SqlStatement.Number(connection, $"""
            SELECT count(*) FROM {source("a")} CROSS JOIN {source("b")} ON {string.Join(" AND ", stored.Select(column =>
                $"b.{column} IS a.{column} AND +b.{column} IS a.{column}"))}
            WHERE {string.Join(" OR ", stored.Select(column => $"a.{column} IS NULL"))}
            """);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        names.Dispose();
        ImposterSchema.Forget(connection);
    }

    private static IEnumerable<string> StoredOf(IndexDefinition index) => Enumerable.Range(0, index.Columns.Count).Select(place => $"c{place}");

    private string Next() => names.MoveNext() ? names.Current.Quoted : throw new InvalidOperationException("Names have no end.");
}
