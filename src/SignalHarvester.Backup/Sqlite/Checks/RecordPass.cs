using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// One pass over the rows of a query, which reads their values as they are stored. SQLite calls back for each row, as for an aggregate
/// function, https://sqlite.org/appfunc.html : asking a statement for each value of each row takes twice the time.
/// </summary>
internal sealed unsafe partial class RecordPass
{
    private const string Function = "shbackup_pass";

    private readonly bool isUtf16;
    private readonly RowHandler handler;
    private ExceptionDispatchInfo? fault;
    private bool isEnded;

    private RecordPass(bool isUtf16, RowHandler handler)
    {
        this.isUtf16 = isUtf16;
        this.handler = handler;
    }

    /// <summary>Takes a row.</summary>
    /// <returns>Whether the pass goes on.</returns>
    public delegate bool RowHandler(RecordRow row);

    /// <summary>Makes a pass.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="values">The values of a row, as SQL.</param>
    /// <param name="source">The rows, as SQL for FROM.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16. They stay in it.</param>
    /// <param name="handler">Takes the rows.</param>
    /// <returns>Whether it reached the end.</returns>
    /// <exception cref="SqliteException">The stored data cannot be read, or the connection's token was cancelled.</exception>
    public static bool Run(SqliteConnection connection, IEnumerable<string> values, string source, bool isUtf16, RowHandler handler)
    {
        var pass = new RecordPass(isUtf16, handler);
        var handle = GCHandle.Alloc(pass);
        var database = connection.Handle!.DangerousGetHandle();
        try
        {
            SqliteException.ThrowExceptionForRC(
                CreateFunction(database, Function, -1, raw.SQLITE_UTF8, GCHandle.ToIntPtr(handle), 0, &Step, &End, 0), connection.Handle);
            _ = SqlStatement.Run(connection, $"SELECT {Function}({string.Join(", ", values)}) FROM {source}");
        }
        catch (SqliteException) when (pass.isEnded)
        {
            pass.fault?.Throw();
            return false;
        }
        finally
        {
            _ = CreateFunction(database, Function, -1, raw.SQLITE_UTF8, 0, 0, null, null, 0);
            handle.Free();
        }

        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Step(nint context, int count, nint* values)
    {
        var pass = (RecordPass)GCHandle.FromIntPtr(UserData(context)).Target!;
        try
        {
            pass.isEnded = !pass.handler(new RecordRow(values, pass.isUtf16));
        }
        catch (Exception exception)
        {
            // No exception may pass through SQLite.
            pass.fault = ExceptionDispatchInfo.Capture(exception);
            pass.isEnded = true;
        }

        if (pass.isEnded)
        {
            ResultErrorCode(context, raw.SQLITE_ABORT);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void End(nint context)
    {
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_create_function_v2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateFunction(
        nint database, string name, int arguments, int encoding, nint state, nint function, delegate* unmanaged[Cdecl]<nint, int, nint*, void> step,
        delegate* unmanaged[Cdecl]<nint, void> end, nint destroy);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_user_data")]
    private static partial nint UserData(nint context);

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_result_error_code")]
    private static partial void ResultErrorCode(nint context, int code);
}
