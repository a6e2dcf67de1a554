using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The rows of a statement, whose values are read as they are stored. SQLite is called without the provider's checks, because that
/// costs more than the values do.
/// </summary>
internal sealed unsafe partial class RecordReader : IDisposable
{
    private readonly sqlite3 database;
    private readonly sqlite3_stmt statement;
    private readonly nint handle;
    private readonly bool isUtf16;

    /// <summary>Prepares a statement.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="sql">The statement.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16, which are left in it.</param>
    /// <exception cref="SqliteException">SQLite refuses it.</exception>
    public RecordReader(SqliteConnection connection, string sql, bool isUtf16)
    {
        database = connection.Handle!;
        this.isUtf16 = isUtf16;
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(database, SqlText.Bytes(sql), out statement), database);
        handle = statement.DangerousGetHandle();
    }

    /// <summary>Goes to the next row; false behind the last one.</summary>
    /// <exception cref="SqliteException">What is stored cannot be read, or the connection's token was cancelled.</exception>
    public bool Step()
    {
        var code = Step(handle);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        SqliteException.ThrowExceptionForRC(code, database);
        return false;
    }

    /// <summary>A value of this row as a number; 0 for what is none.</summary>
    public long Number(int column) => Int64(Value(handle, column));

    /// <summary>Reads the first values of this row as a record.</summary>
    /// <returns>Whether there was room for it.</returns>
    public bool TryRead(int count, RecordBuffer record)
    {
        record.Clear();
        for (var column = 0; column < count; column++)
        {
            if (!TryAppend(column, record))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads some values of this row as a record.</summary>
    /// <returns>Whether there was room for it.</returns>
    public bool TryRead(int[] columns, RecordBuffer record)
    {
        record.Clear();
        foreach (var column in columns)
        {
            if (!TryAppend(column, record))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => statement.Dispose();

    private bool TryAppend(int column, RecordBuffer record)
    {
        // The value once, because SQLite takes a lock for each question to a statement. Nothing else uses the connection meanwhile.
        var value = Value(handle, column);
        var type = Type(value);
        switch (type)
        {
            case raw.SQLITE_NULL:
                record.AppendNull();
                return true;
            case raw.SQLITE_INTEGER:
                record.Append(Int64(value));
                return true;
            case raw.SQLITE_FLOAT:
                record.Append(Double(value));
                return true;
            default:
                // The length after the content: asked for first, it would be that of the text in another encoding.
                var content = Blob(value);
                var length = isUtf16 ? LengthOfUtf16(value) : Length(value);
                return record.TryAppend(type == raw.SQLITE_TEXT ? RecordValueKind.Text : RecordValueKind.Blob, new ReadOnlySpan<byte>(content, length));
        }
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_step")]
    private static partial int Step(nint statement);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_column_value")]
    private static partial nint Value(nint statement, int column);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_value_type")]
    private static partial int Type(nint value);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_value_int64")]
    private static partial long Int64(nint value);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_value_double")]
    private static partial double Double(nint value);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_value_blob")]
    private static partial byte* Blob(nint value);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_value_bytes")]
    private static partial int Length(nint value);

    [SuppressGCTransition]
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_value_bytes16")]
    private static partial int LengthOfUtf16(nint value);
}
