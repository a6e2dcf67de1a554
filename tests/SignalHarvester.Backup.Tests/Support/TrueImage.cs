using System.Buffers.Binary;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>
/// The image of a database to which nobody is writing: its file with the committed frames of its log laid over it. It follows only
/// the description of SQLite's file formats, and uses nothing of the engine.
/// </summary>
internal static class TrueImage
{
    private const int LockByteOffset = 0x40000000;

    /// <summary>Reads the image. A database that needs a rollback has none.</summary>
    public static byte[] Of(string path)
    {
        var main = File.ReadAllBytes(path);
        (var pages, var pageCount, var pageSize) = Committed(path + "-wal");
        if (pageCount == 0)
        {
            pageSize = BinaryPrimitives.ReadUInt16BigEndian(main.AsSpan(16)) is var size and not 1 ? size : 65536;
            pageCount = IsCountValid(main) ? BinaryPrimitives.ReadUInt32BigEndian(main.AsSpan(28)) : (uint)(main.Length / pageSize);
        }

        var image = new byte[pageCount * (long)pageSize];
        main.AsSpan(0, Math.Min(main.Length, image.Length)).CopyTo(image);
        foreach ((var page, var content) in pages.Where(entry => entry.Key <= pageCount))
        {
            content.CopyTo(image, (page - 1) * (long)pageSize);
        }

        if (image.Length > LockByteOffset)
        {
            image.AsSpan(LockByteOffset, pageSize).Clear();
        }

        return image;
    }

    // https://sqlite.org/fileformat2.html#in_header_database_size
    private static bool IsCountValid(ReadOnlySpan<byte> main) =>
        main[24..28].SequenceEqual(main[92..96]) && BinaryPrimitives.ReadUInt32BigEndian(main[28..]) != 0;

    // https://sqlite.org/fileformat2.html#the_write_ahead_log
    private static (Dictionary<uint, byte[]> Pages, uint PageCount, int PageSize) Committed(string path)
    {
        var committed = new Dictionary<uint, byte[]>();
        var open = new Dictionary<uint, byte[]>();
        uint pageCount = 0;
        var wal = File.Exists(path) ? File.ReadAllBytes(path) : [];
        if (wal.Length < 32)
        {
            return (committed, 0, 0);
        }

        var bigEndian = (wal[3] & 1) == 1;
        var pageSize = BinaryPrimitives.ReadInt32BigEndian(wal.AsSpan(8));
        (uint, uint) sum = WalFiles.Checksum(wal.AsSpan(0, 24), bigEndian, default);
        if (sum != Sum(wal.AsSpan(24)))
        {
            return (committed, 0, 0);
        }

        for (var at = 32; at + 24 + pageSize <= wal.Length; at += 24 + pageSize)
        {
            var frame = wal.AsSpan(at, 24 + pageSize);
            sum = WalFiles.Checksum(frame[24..], bigEndian, WalFiles.Checksum(frame[..8], bigEndian, sum));
            if (!frame.Slice(8, 8).SequenceEqual(wal.AsSpan(16, 8)) || sum != Sum(frame[16..]))
            {
                break;
            }

            open[BinaryPrimitives.ReadUInt32BigEndian(frame)] = frame[24..].ToArray();
            if (BinaryPrimitives.ReadUInt32BigEndian(frame[4..]) is var count and > 0)
            {
                foreach ((var page, var content) in open)
                {
                    committed[page] = content;
                }

                open.Clear();
                pageCount = count;
            }
        }

        return (committed, pageCount, pageSize);
    }

    private static (uint, uint) Sum(ReadOnlySpan<byte> bytes) =>
        (BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
}
