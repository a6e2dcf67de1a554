using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The tree of an index, read as a table, https://sqlite.org/imposter.html : its entries as they are stored, whatever their
/// order and whatever SQLite would compute in their place. The columns are called c0, c1 and so on. While one is open, nothing
/// else may change the connection's schema; disposing it makes the connection read its schema anew.
/// </summary>
internal sealed unsafe partial class IndexTree : IDisposable
{
    private const int Imposter = 25;

    private readonly SqliteConnection connection;

    /// <summary>Opens the tree of an index.</summary>
    /// <exception cref="SqliteException">SQLite refuses it.</exception>
    public IndexTree(SqliteConnection connection, IndexDefinition index)
    {
        this.connection = connection;
        var taken = SqlStatement.List(connection, "SELECT name FROM main.sqlite_schema", row => row.Name(0)).ToHashSet();
        Name = Enumerable.Range(0, int.MaxValue).Select(number => SqliteName.Parse($"shbackup tree {number}")).First(name => !taken.Contains(name)).Quoted;
        var columns = string.Join(", ", Enumerable.Range(0, index.Columns.Count).Select(place => $"c{place}"));
        Control(1, index.RootPage);
        try
        {
            // Which takes its place in the schema as it is parsed, and does nothing when it is run.
            SqlStatement.Prepare(connection, $"CREATE TABLE {Name}({columns}, PRIMARY KEY({columns})) WITHOUT ROWID").Dispose();
        }
        catch
        {
            Control(0, 1);
            throw;
        }

        Control(0, 0);
    }

    /// <summary>The name of the table, as it stands in SQL.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public void Dispose() => Control(0, 1);

    private void Control(int on, long page)
    {
        var database = connection.Handle!.DangerousGetHandle();
        fixed (byte* main = "main\0"u8)
        {
            // The function takes any number of arguments, which Apple's processors find on the stack and all others where they
            // are for other functions.
            var code = OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture == Architecture.Arm64
                ? TestControlOnStack(Imposter, 0, 0, 0, 0, 0, 0, 0, database, (nint)main, on, (nint)page)
                : TestControl(Imposter, database, main, on, (int)page);
            SqliteException.ThrowExceptionForRC(code, connection.Handle);
        }
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_test_control")]
    private static partial int TestControl(int operation, nint database, byte* schema, int on, int page);

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_test_control")]
    private static partial int TestControlOnStack(
        int operation, nint second, nint third, nint fourth, nint fifth, nint sixth, nint seventh, nint eighth, nint database, nint schema, nint on, nint page);
}
