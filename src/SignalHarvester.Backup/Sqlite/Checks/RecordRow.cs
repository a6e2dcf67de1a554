using System.Runtime.InteropServices;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The values of a row, valid while SQLite holds it.</summary>
internal readonly unsafe ref partial struct RecordRow
{
    private readonly nint* values;
    private readonly bool isUtf16;

    /// <summary>Wraps the values that SQLite passes.</summary>
    /// <param name="values">The values.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16. They stay in it.</param>
    public RecordRow(nint* values, bool isUtf16)
    {
        this.values = values;
        this.isUtf16 = isUtf16;
    }

    /// <summary>Returns a value as a number; 0 if it is none.</summary>
    public long Number(int column) => Int64(values[column]);

    /// <summary>Reads some values as a record.</summary>
    /// <returns>Whether there was room for it.</returns>
    public bool TryRead(int[] columns, RecordBuffer record)
    {
        record.Clear();
        foreach (var column in columns)
        {
            if (!TryAppend(values[column], record))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryAppend(nint value, RecordBuffer record)
    {
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
                // The length is read after the content: before it, SQLite would return the length of the text in another encoding.
                var content = Blob(value);
                var length = isUtf16 ? LengthOfUtf16(value) : Length(value);
                return record.TryAppend(type == raw.SQLITE_TEXT ? RecordValueKind.Text : RecordValueKind.Blob, new ReadOnlySpan<byte>(content, length));
        }
    }

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
