using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Bench.Databases;

/// <summary>
/// The leaf pages of a table, read from the b-tree itself (https://sqlite.org/fileformat2.html#b_tree_pages): no build
/// of SQLite here has dbstat.
/// </summary>
internal static class TableLeaves
{
    private const byte InteriorType = 5;
    private const int InteriorHeader = 12;

    /// <summary>Returns one row of each leaf except the last: its greatest rowid, which is in the level above. Ascending.</summary>
    /// <param name="database">A database that no connection of this process has open: closing the file drops its locks.</param>
    /// <param name="rootPage">The table's root page.</param>
    /// <exception cref="BenchException">The table fits one page.</exception>
    public static List<long> Rows(string database, uint rootPage)
    {
        using var file = File.OpenHandle(database, share: FileShare.ReadWrite);
        var rows = new List<long>();
        Walk(file, rootPage, greatest: null, rows);
        return rows.Count > 0 ? rows : throw new BenchException($"{database} is too small: its table has one page.");
    }

    private static void Walk(SafeFileHandle file, uint page, long? greatest, List<long> rows)
    {
        Span<byte> content = stackalloc byte[BenchDatabase.PageSize];
        RandomAccess.Read(file, content, (page - 1L) * content.Length);
        if (content[0] != InteriorType)
        {
            if (greatest is long row)
            {
                rows.Add(row);
            }

            return;
        }

        int cells = BinaryPrimitives.ReadUInt16BigEndian(content[3..]);
        for (var i = 0; i < cells; i++)
        {
            var cell = content[BinaryPrimitives.ReadUInt16BigEndian(content[(InteriorHeader + 2 * i)..])..];
            Walk(file, BinaryPrimitives.ReadUInt32BigEndian(cell), Varint(cell[4..]), rows);
        }

        Walk(file, BinaryPrimitives.ReadUInt32BigEndian(content[8..]), greatest, rows);
    }

    /// <summary>A variable-length integer of up to eight bytes, which is more than any rowid here takes.</summary>
    private static long Varint(ReadOnlySpan<byte> bytes)
    {
        long value = 0;
        foreach (var part in bytes)
        {
            value = (value << 7) | (part & 0x7Fu);
            if (part < 0x80)
            {
                break;
            }
        }

        return value;
    }
}
