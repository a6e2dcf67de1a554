using System.Buffers.Binary;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The values of a record, one after the other, in a form that is the same for two values exactly if SQLite's BINARY comparison finds
/// them equal (https://sqlite.org/datatype3.html#comparison_expressions ): an integral number is stored as an integer.
/// </summary>
internal sealed class RecordBuffer
{
    /// <summary>The largest size of a record, in bytes. A longer one is left to SQLite.</summary>
    public const int MostBytes = 1 << 20;

    private byte[] bytes = new byte[256];
    private int length;

    /// <summary>The values so far.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.AsSpan(0, length);

    /// <summary>Whether one of them is NULL.</summary>
    public bool HasNull { get; private set; }

    /// <summary>Starts another record.</summary>
    public void Clear() => (length, HasNull) = (0, false);

    /// <summary>Whether the last value is the given integer.</summary>
    public bool EndsWith(long number) =>
        length > sizeof(long) && bytes[length - sizeof(long) - 1] == (byte)RecordValueKind.Integer
        && BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(length - sizeof(long))) == number;

    /// <summary>Appends NULL.</summary>
    public void AppendNull()
    {
        Reserve(1)[0] = (byte)RecordValueKind.Null;
        HasNull = true;
    }

    /// <summary>Appends an integer.</summary>
    public void Append(long number)
    {
        var target = Reserve(1 + sizeof(long));
        target[0] = (byte)RecordValueKind.Integer;
        BinaryPrimitives.WriteInt64LittleEndian(target[1..], number);
    }

    /// <summary>Appends a number.</summary>
    public void Append(double number)
    {
        // -2^63 is the smallest integer, and 2^63 is beyond the largest.
        if (number is >= -9223372036854775808.0 and < 9223372036854775808.0 && Math.Truncate(number) == number)
        {
            Append((long)number);
            return;
        }

        var target = Reserve(1 + sizeof(double));
        target[0] = (byte)RecordValueKind.Real;
        BinaryPrimitives.WriteDoubleLittleEndian(target[1..], number);
    }

    /// <summary>Appends a text or a blob.</summary>
    /// <returns>Whether there is room for it.</returns>
    public bool TryAppend(RecordValueKind kind, ReadOnlySpan<byte> content)
    {
        if (content.Length > MostBytes - length)
        {
            return false;
        }

        var target = Reserve(1 + sizeof(int) + content.Length);
        target[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(target[1..], content.Length);
        content.CopyTo(target[(1 + sizeof(int))..]);
        return true;
    }

    private Span<byte> Reserve(int size)
    {
        if (bytes.Length - length < size)
        {
            Array.Resize(ref bytes, Math.Max(2 * bytes.Length, length + size));
        }

        length += size;
        return bytes.AsSpan(length - size, size);
    }
}
