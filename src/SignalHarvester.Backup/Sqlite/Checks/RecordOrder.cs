using System.Buffers.Binary;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The order of records in a tree of SQLite, https://sqlite.org/datatype3.html#sort_order .</summary>
internal sealed class RecordOrder
{
    private readonly (bool IsDescending, bool IsKey, TextOrder Text)[] columns;
    private readonly int keys;

    /// <summary>The order of an index.</summary>
    /// <param name="columns">The values of each entry. The columns of the index's own definition come first.</param>
    public RecordOrder(IReadOnlyList<IndexColumn> columns)
    {
        this.columns = [.. columns.Select(column => (column.IsDescending, column.IsKey, TextOf(column.Collation)))];
        keys = columns.TakeWhile(column => column.IsKey).Count();
    }

    private enum TextOrder
    {
        Binary,
        NoCase,
        TrailingSpaces,
    }

    /// <summary>
    /// Whether the order of a collation is known here. In UTF-16, NOCASE and RTRIM are not: SQLite compares them as UTF-8, and records
    /// stay in UTF-16.
    /// </summary>
    /// <param name="collation">The collation.</param>
    /// <param name="isUtf16">Whether the database stores texts in UTF-16.</param>
    public static bool Has(SqliteName collation, bool isUtf16) => isUtf16 ? collation == SqliteCollations.Binary : SqliteCollations.Has(collation);

    /// <summary>Whether a record sorts after another one.</summary>
    /// <param name="earlier">The record before it.</param>
    /// <param name="later">The record.</param>
    /// <param name="isUnique">Whether two records may not be equal in the columns of the index's own definition, NULLs aside.</param>
    public bool IsAscending(ReadOnlySpan<byte> earlier, ReadOnlySpan<byte> later, bool isUnique)
    {
        var hasNull = false;
        for (var place = 0; place < columns.Length; place++)
        {
            if (place == keys && isUnique && !hasNull)
            {
                return false;
            }

            var one = ValueAt(ref earlier);
            var other = ValueAt(ref later);
            hasNull |= one.Kind == RecordValueKind.Null;
            if (Compare(one, other, columns[place].Text) is not 0 and var difference)
            {
                return difference < 0 != columns[place].IsDescending;
            }
        }

        return false;
    }

    private static TextOrder TextOf(SqliteName collation) =>
        collation == SqliteCollations.Binary ? TextOrder.Binary : collation == SqliteCollations.NoCase ? TextOrder.NoCase : TextOrder.TrailingSpaces;

    private static Value ValueAt(ref ReadOnlySpan<byte> record)
    {
        var kind = (RecordValueKind)record[0];
        var (start, length) = kind switch
        {
            RecordValueKind.Null => (1, 0),
            RecordValueKind.Integer or RecordValueKind.Real => (1, sizeof(long)),
            _ => (1 + sizeof(int), BinaryPrimitives.ReadInt32LittleEndian(record[1..])),
        };
        var value = new Value(kind, record.Slice(start, length));
        record = record[(start + length)..];
        return value;
    }

    private static int Compare(Value one, Value other, TextOrder order)
    {
        var (group, otherGroup) = (Group(one.Kind), Group(other.Kind));
        if (group != otherGroup)
        {
            return group.CompareTo(otherGroup);
        }

        return one.Kind switch
        {
            RecordValueKind.Null => 0,
            RecordValueKind.Integer or RecordValueKind.Real => CompareNumbers(one, other),
            RecordValueKind.Blob => one.Content.SequenceCompareTo(other.Content),
            _ => order switch
            {
                TextOrder.Binary => one.Content.SequenceCompareTo(other.Content),
                TextOrder.NoCase => CompareWithoutCase(one.Content, other.Content),
                _ => one.Content.TrimEnd((byte)' ').SequenceCompareTo(other.Content.TrimEnd((byte)' ')),
            },
        };
    }

    private static int Group(RecordValueKind kind) => kind == RecordValueKind.Real ? (int)RecordValueKind.Integer : (int)kind;

    private static int CompareNumbers(Value one, Value other) => (one.Kind, other.Kind) switch
    {
        (RecordValueKind.Integer, RecordValueKind.Integer) => one.Integer.CompareTo(other.Integer),
        (RecordValueKind.Real, RecordValueKind.Real) => one.Real.CompareTo(other.Real),
        (RecordValueKind.Integer, _) => CompareToReal(one.Integer, other.Real),
        _ => -CompareToReal(other.Integer, one.Real),
    };

    /// <summary>Compares an integer with a real. They are never equal here, because an integral real is stored as an integer.</summary>
    private static int CompareToReal(long integer, double real) =>
        real < -9223372036854775808.0 ? 1
        : real >= 9223372036854775808.0 ? -1
        : integer <= (long)Math.Floor(real) ? -1 : 1;

    /// <summary>Compares as SQLite's NOCASE does: ASCII letters in one case, up to the first NUL. A text that continues behind it is larger.</summary>
    private static int CompareWithoutCase(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        var shared = Math.Min(one.Length, other.Length);
        for (var index = 0; index < shared; index++)
        {
            var (left, right) = (Lower(one[index]), Lower(other[index]));
            if (left != right)
            {
                return left - right;
            }

            if (left == 0)
            {
                break;
            }
        }

        return one.Length - other.Length;
    }

    private static int Lower(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? letter | 0x20 : letter;

    private readonly ref struct Value(RecordValueKind kind, ReadOnlySpan<byte> content)
    {
        public RecordValueKind Kind { get; } = kind;

        public ReadOnlySpan<byte> Content { get; } = content;

        public long Integer => BinaryPrimitives.ReadInt64LittleEndian(Content);

        public double Real => BinaryPrimitives.ReadDoubleLittleEndian(Content);
    }
}
