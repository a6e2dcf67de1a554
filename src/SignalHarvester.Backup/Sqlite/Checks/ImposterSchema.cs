using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Tables and indexes that exist only in one connection, and read the trees of others, https://sqlite.org/imposter.html . While
/// any exist, nothing else may change the connection's schema.
/// </summary>
internal static unsafe partial class ImposterSchema
{
    private const int Imposter = 25;

    /// <summary>Returns names that nothing in the database has.</summary>
    public static IEnumerable<SqliteName> FreeNames(SqliteConnection connection)
    {
        var taken = SqlStatement.List(connection, "SELECT name FROM main.sqlite_schema", row => row.Name(0)).ToHashSet();
        return Enumerable.Range(0, int.MaxValue).Select(number => SqliteName.Parse($"shbackup tree {number}")).Where(name => !taken.Contains(name));
    }

    /// <summary>Defines a table or an index.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="rootPage">The root page of its tree.</param>
    /// <param name="sql">The statement that would make it.</param>
    /// <exception cref="SqliteException">SQLite refuses it. All definitions are forgotten.</exception>
    public static void Define(SqliteConnection connection, long rootPage, string sql)
    {
        Control(connection, 1, rootPage);
        try
        {
            // Parsing the statement defines the table; running it would do nothing.
            SqlStatement.Prepare(connection, sql).Dispose();
        }
        catch
        {
            Forget(connection);
            throw;
        }

        Control(connection, 0, 0);
    }

    /// <summary>Forgets all definitions. The connection reads its schema again.</summary>
    public static void Forget(SqliteConnection connection) => Control(connection, 0, 1);

    private static void Control(SqliteConnection connection, int on, long page)
    {
        var database = connection.Handle!.DangerousGetHandle();
        fixed (byte* main = "main\0"u8)
        {
            // The function takes any number of arguments. Apple's processors expect such arguments on the stack, all others in the same
            // places as those of other functions.
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
