using System.Buffers.Binary;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>The first hundred bytes of a database file, https://sqlite.org/fileformat2.html#the_database_header .</summary>
internal static class DatabaseHeader
{
    public const int Size = 100;

    /// <summary>The offset of the page on which SQLite puts its locks; it never holds data.</summary>
    public const long LockByteOffset = 0x4000_0000;

    private static ReadOnlySpan<byte> Magic => "SQLite format 3\0"u8;

    /// <summary>Whether the bytes begin like a database.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> header) => header.StartsWith(Magic);

    /// <summary>Returns the page size in bytes; 0 if the field holds no valid one.</summary>
    public static int PageSize(ReadOnlySpan<byte> header)
    {
        int value = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        return value == 1 ? 65536 : value >= 512 && int.IsPow2(value) ? value : 0;
    }

    /// <summary>Returns the page count that the header states; 0 if it states no valid one.</summary>
    public static uint PageCount(ReadOnlySpan<byte> header) =>
        header[24..28].SequenceEqual(header[92..96]) ? BinaryPrimitives.ReadUInt32BigEndian(header[28..]) : 0;

    /// <summary>
    /// Whether the file probably has no magic because it is encrypted: encrypted pages look like random bytes, and the file is a
    /// whole number of pages.
    /// </summary>
    /// <param name="sample">The first few KiB of the file.</param>
    /// <param name="fileLength">The file's length in bytes.</param>
    public static bool LooksEncrypted(ReadOnlySpan<byte> sample, long fileLength)
    {
        if (fileLength % 512 != 0 || sample.Length < 512)
        {
            return false;
        }

        Span<int> counts = stackalloc int[256];
        foreach (var value in sample)
        {
            counts[value]++;
        }

        // Chi-squared of random bytes: mean 255, standard deviation 22.6. Text and code have values in the thousands.
        var expected = sample.Length / 256.0;
        var chiSquared = 0.0;
        foreach (var count in counts)
        {
            chiSquared += (count - expected) * (count - expected) / expected;
        }

        return chiSquared < 400;
    }
}
