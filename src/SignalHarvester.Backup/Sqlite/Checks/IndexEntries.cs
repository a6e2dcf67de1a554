using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The entries of an index as they are stored, whatever their order and whatever SQLite would compute in their place: the
/// tree of the index is read as a table, an imposter, https://sqlite.org/imposter.html .
/// </summary>
internal static unsafe partial class IndexEntries
{
    private const int Imposter = 25;
    private const string Name = "\"shbackup imposter\"";

    /// <summary>
    /// Whether the stored values in the entries are those of the table's rows, byte for byte, with one entry for a row, and
    /// none left out as far as SQLite knows by itself which rows have one. What is computed is not looked at.
    /// </summary>
    /// <remarks>The connection reads its schema anew afterwards.</remarks>
    /// <exception cref="SqliteException">The index or the table cannot be read.</exception>
    public static bool AreRows(SqliteConnection connection, IndexDefinition index)
    {
        var rowId = SqliteName.RowIdNames.Except(SqlStatement.List(connection, $"SELECT name FROM pragma_table_xinfo({index.Table.Literal})", row => row.Name(0))).FirstOrDefault();
        var stored = index.Columns.Select((column, place) => (column, place)).Where(entry => !entry.column.IsComputed && (!entry.column.IsRowId || rowId.Text is not null)).ToList();

        // SQLite takes the tree's order for that of bytes, which it need not be, and so must not use it.
        var here = string.Join(", ", stored.Select(entry => $"+c{entry.place}"));
        var there = string.Join(", ", stored.Select(entry => (entry.column.IsRowId ? rowId : entry.column.Name).Quoted + " COLLATE BINARY"));
        if (index.RootPage == 0 || stored.Count == 0)
        {
            return false;
        }

        var all = string.Join(", ", Enumerable.Range(0, index.Columns.Count).Select(place => $"c{place}"));
        _ = SqlStatement.Run(connection, $"SELECT 1 FROM {index.Table.Quoted} LIMIT 0");
        Control(connection, 1, index.RootPage);
        try
        {
            // Which takes its place in the schema as it is parsed, and does nothing when it is run.
            SqlStatement.Prepare(connection, $"CREATE TABLE {Name}({all}, PRIMARY KEY({all})) WITHOUT ROWID").Dispose();
            Control(connection, 0, 0);
            var condition = index is { Condition: { } sql, IsConditionCertain: true } ? $" WHERE {sql}" : string.Empty;
            var rows = $"SELECT {there} FROM {index.Table.Quoted} NOT INDEXED{condition}";
            var left = index is { Condition: not null, IsConditionCertain: false } ? "1" : $"NOT EXISTS ({rows} EXCEPT SELECT {here} FROM {Name})";
            return SqlStatement.Number(connection, $"SELECT NOT EXISTS (SELECT {here} FROM {Name} EXCEPT {rows}) AND {left}"
                + $" AND (SELECT count(*) FROM {Name}) = (SELECT count(*) FROM (SELECT DISTINCT {here} FROM {Name}))") == 1;
        }
        finally
        {
            Control(connection, 0, 1);
        }
    }

    private static void Control(SqliteConnection connection, int on, long page)
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
