using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// The tables that a statement and its triggers read or write. SQLite names them to its authorizer while it prepares the
/// statement, https://sqlite.org/c3ref/set_authorizer.html .
/// </summary>
internal static unsafe partial class TouchedTables
{
    [ThreadStatic]
    private static HashSet<(string Schema, SqliteName Table)>? touched;

    /// <summary>Finds them without running the statement.</summary>
    /// <returns>Each with the name of its database within the connection.</returns>
    /// <exception cref="SqliteException">SQLite cannot prepare it.</exception>
    public static IReadOnlySet<(string Schema, SqliteName Table)> Of(SqliteConnection connection, string sql)
    {
        var database = connection.Handle!.DangerousGetHandle();
        HashSet<(string Schema, SqliteName Table)> found = [];
        touched = found;
        _ = SetAuthorizer(database, &Note, 0);
        try
        {
            SqlStatement.Prepare(connection, sql).Dispose();
            return found;
        }
        finally
        {
            _ = SetAuthorizer(database, null, 0);
            touched = null;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Note(nint state, int action, byte* table, byte* column, byte* schema, byte* trigger)
    {
        if (action is raw.SQLITE_READ or raw.SQLITE_INSERT or raw.SQLITE_UPDATE or raw.SQLITE_DELETE && table is not null && schema is not null)
        {
            _ = touched?.Add((Text(schema), SqliteName.Of(Text(table))));
        }

        return raw.SQLITE_OK;
    }

    private static string Text(byte* text) => SqlText.Of(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_set_authorizer")]
    private static partial int SetAuthorizer(nint database, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, byte*, byte*, int> callback, nint state);
}
