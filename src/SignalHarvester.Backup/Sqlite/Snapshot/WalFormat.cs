using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// The write-ahead log's file format, https://sqlite.org/fileformat2.html#the_write_ahead_log .
/// </summary>
internal static class WalFormat
{
    public const int HeaderSize = 32;
    public const int FrameHeaderSize = 24;

    private const uint Version = 3007000;
    private const uint MagicLittleEndianChecksums = 0x377f0682;
    private const uint MagicBigEndianChecksums = 0x377f0683;

    /// <summary>Returns the offset of a frame. Frames count from 1.</summary>
    public static long FrameOffset(long frame, int pageSize) =>
        HeaderSize + ((frame - 1) * (FrameHeaderSize + (long)pageSize));

    /// <summary>Writes the header of a log whose checksums use this machine's byte order.</summary>
    /// <param name="header">32 bytes to fill.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="salts">The two salts, in the file's byte order.</param>
    /// <returns>The running checksum, which the first frame continues.</returns>
    public static (uint S0, uint S1) WriteHeader(Span<byte> header, int pageSize, ulong salts)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header, BitConverter.IsLittleEndian ? MagicLittleEndianChecksums : MagicBigEndianChecksums);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], Version);
        BinaryPrimitives.WriteInt32BigEndian(header[8..], pageSize);
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], 0);
        MemoryMarshal.Write(header[16..], salts);
        var checksum = Checksum(header[..24], !BitConverter.IsLittleEndian, default);
        WriteChecksum(header[24..], checksum);
        return checksum;
    }

    /// <summary>Completes a frame whose page is already in its place.</summary>
    /// <param name="frame">24 bytes to fill, then the page.</param>
    /// <param name="page">The page's number, from 1.</param>
    /// <param name="commitPageCount">Pages of the database after the commit, if this frame ends one; 0 for any other frame.</param>
    /// <param name="salts">The log's salts.</param>
    /// <param name="checksum">The running checksum up to the frame before.</param>
    /// <returns>The running checksum up to this frame.</returns>
    public static (uint S0, uint S1) WriteFrame(Span<byte> frame, uint page, uint commitPageCount, ulong salts, (uint S0, uint S1) checksum)
    {
        BinaryPrimitives.WriteUInt32BigEndian(frame, page);
        BinaryPrimitives.WriteUInt32BigEndian(frame[4..], commitPageCount);
        MemoryMarshal.Write(frame[8..], salts);
        checksum = Checksum(frame[..8], !BitConverter.IsLittleEndian, checksum);
        checksum = Checksum(frame[FrameHeaderSize..], !BitConverter.IsLittleEndian, checksum);
        WriteChecksum(frame[16..], checksum);
        return checksum;
    }

    /// <summary>Reads the salts from a log's or a frame's header.</summary>
    /// <param name="bytes">The bytes from the salts onwards: offset 16 of the log, 8 of a frame.</param>
    public static ulong Salts(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<ulong>(bytes);

    /// <summary>Reads the checksum at the end of a log's or a frame's header.</summary>
    /// <param name="bytes">The bytes from the checksum onwards: offset 24 of the log, 16 of a frame.</param>
    public static (uint S0, uint S1) ReadChecksum(ReadOnlySpan<byte> bytes) =>
        (BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));

    /// <summary>Whether the first four bytes are those of a write-ahead log.</summary>
    public static bool IsWal(ReadOnlySpan<byte> header) =>
        BinaryPrimitives.ReadUInt32BigEndian(header) is MagicLittleEndianChecksums or MagicBigEndianChecksums;

    /// <summary>Whether the log's checksums read its words as big-endian.</summary>
    public static bool HasBigEndianChecksums(ReadOnlySpan<byte> header) =>
        BinaryPrimitives.ReadUInt32BigEndian(header) == MagicBigEndianChecksums;

    /// <summary>Continues a running checksum over data whose length is a multiple of eight bytes.</summary>
    public static (uint S0, uint S1) Checksum(ReadOnlySpan<byte> data, bool bigEndian, (uint S0, uint S1) seed)
    {
        var (s0, s1) = seed;
        var words = MemoryMarshal.Cast<byte, uint>(data);
        if (bigEndian == BitConverter.IsLittleEndian)
        {
            for (var i = 0; i < words.Length; i += 2)
            {
                s0 += BinaryPrimitives.ReverseEndianness(words[i]) + s1;
                s1 += BinaryPrimitives.ReverseEndianness(words[i + 1]) + s0;
            }
        }
        else
        {
            for (var i = 0; i < words.Length; i += 2)
            {
                s0 += words[i] + s1;
                s1 += words[i + 1] + s0;
            }
        }

        return (s0, s1);
    }

    /// <summary>Continues the running checksum of a log over a committed frame, as SQLite does.</summary>
    /// <remarks>
    /// After a rollback to a savepoint, SQLite 3.40 and its neighbours write frames whose salts and checksum are zero, and do not complete them
    /// at the commit (walEncodeFrame and walRewriteChecksums in wal.c, with an iReCksum behind the end). Readers find them by the index like any
    /// other; only a recovery ends before them. SQLite itself continues the checksum from the zeros.
    /// </remarks>
    /// <param name="frame">The frame.</param>
    /// <param name="salts">The log's salts.</param>
    /// <param name="bigEndian">Whether the log's checksums read its words as big-endian.</param>
    /// <param name="checksum">The running checksum.</param>
    /// <returns>False if the frame is of another log.</returns>
    public static bool TryContinue(ReadOnlySpan<byte> frame, ulong salts, bool bigEndian, ref (uint S0, uint S1) checksum)
    {
        if (Salts(frame[8..]) == salts)
        {
            checksum = Checksum(frame[..8], bigEndian, checksum);
            checksum = Checksum(frame[FrameHeaderSize..], bigEndian, checksum);
            return true;
        }

        checksum = default;
        return !frame[8..FrameHeaderSize].ContainsAnyExcept((byte)0);
    }

    private static void WriteChecksum(Span<byte> bytes, (uint S0, uint S1) checksum)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, checksum.S0);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], checksum.S1);
    }
}
