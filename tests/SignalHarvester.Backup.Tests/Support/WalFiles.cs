using System.Buffers.Binary;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>Reads and writes write-ahead logs by the description of SQLite's file format alone, with nothing of the engine.</summary>
internal static class WalFiles
{
    /// <summary>Computes the checksum by the format's description.</summary>
    public static (uint S0, uint S1) Checksum(ReadOnlySpan<byte> data, bool bigEndian, (uint S0, uint S1) seed)
    {
        (var s0, var s1) = seed;
        for (var i = 0; i < data.Length; i += 8)
        {
            s0 += Word(data[i..]) + s1;
            s1 += Word(data[(i + 4)..]) + s0;
        }

        return (s0, s1);

        uint Word(ReadOnlySpan<byte> bytes) => bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    /// <summary>Writes all checksums of a log again, in the given byte order.</summary>
    public static void Rewrite(string path, bool bigEndian)
    {
        var wal = File.ReadAllBytes(path);
        var pageSize = (int)BinaryPrimitives.ReadUInt32BigEndian(wal.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(wal, bigEndian ? 0x377f0683u : 0x377f0682u);
        var sum = Put(Checksum(wal.AsSpan(0, 24), bigEndian, default), wal.AsSpan(24));
        for (var frame = WalFormat.HeaderSize; frame + 24 + pageSize <= wal.Length; frame += 24 + pageSize)
        {
            sum = Checksum(wal.AsSpan(frame, 8), bigEndian, sum);
            sum = Put(Checksum(wal.AsSpan(frame + 24, pageSize), bigEndian, sum), wal.AsSpan(frame + 16));
        }

        File.WriteAllBytes(path, wal);
    }

    private static (uint, uint) Put((uint S0, uint S1) sum, Span<byte> target)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, sum.S0);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], sum.S1);
        return sum;
    }
}
