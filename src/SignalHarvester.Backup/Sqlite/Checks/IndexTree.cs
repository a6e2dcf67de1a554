using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The tree of an index, read as a table, https://sqlite.org/imposter.html : its entries as they are stored, whatever their order,
/// and whatever SQLite would compute instead. The columns are called c0, c1 and so on. While a tree is open, nothing else may
/// change the connection's schema. Disposing it makes the connection read its schema again.
/// </summary>
internal sealed class IndexTree : IDisposable
{
    private readonly SqliteConnection connection;

    /// <summary>Opens the tree of an index.</summary>
    /// <exception cref="SqliteException">SQLite refuses it.</exception>
    public IndexTree(SqliteConnection connection, IndexDefinition index)
    {
        this.connection = connection;
        Name = ImposterSchema.FreeNames(connection).First().Quoted;
        var columns = string.Join(", ", Enumerable.Range(0, index.Columns.Count).Select(place => $"c{place}"));
        ImposterSchema.Define(connection, index.RootPage, $"CREATE TABLE {Name}({columns}, PRIMARY KEY({columns})) WITHOUT ROWID");
    }

    /// <summary>The name of the table, as SQL.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public void Dispose() => ImposterSchema.Forget(connection);
}
