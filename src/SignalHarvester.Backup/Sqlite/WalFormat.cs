using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// The write-ahead log's file format, https://sqlite.org/fileformat2.html#the_write_ahead_log .
/// </summary>
internal static class WalFormat
{
    public const int HeaderSize = 32;
    public const int FrameHeaderSize = 24;

    private const uint MagicLittleEndianChecksums = 0x377f0682;
    private const uint MagicBigEndianChecksums = 0x377f0683;

    /// <summary>Where a frame begins. Frames count from 1.</summary>
    public static long FrameOffset(long frame, int pageSize) =>
        HeaderSize + ((frame - 1) * (FrameHeaderSize + (long)pageSize));

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
}
