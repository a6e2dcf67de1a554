using System.Buffers.Binary;
using CsCheck;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

public sealed class WalFormatTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_checksums_are_those_of_the_file_format(bool bigEndian) =>
        Gen.Select(Gen.Byte.Array[8].Array[0, 50], Gen.UInt, Gen.UInt).Sample((words, s0, s1) =>
        {
            byte[] data = [.. words.SelectMany(word => word)];
            return WalFormat.Checksum(data, bigEndian, (s0, s1)) == WalFiles.Checksum(data, bigEndian, (s0, s1));
        });

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(65536)]
    public void The_checksums_of_a_log_that_sqlite_wrote_hold(int pageSize)
    {
        using var folder = new TempFolder();
        Databases.CreateWithLeftWal(folder["a.db"], new DatabaseShape { PageSize = pageSize });
        var wal = File.ReadAllBytes(folder["a.db-wal"]);

        Assert.True(WalFormat.IsWal(wal));
        var bigEndian = WalFormat.HasBigEndianChecksums(wal);
        (uint, uint) sum = WalFormat.Checksum(wal.AsSpan(0, 24), bigEndian, default);
        Assert.Equal(Stored(24), sum);
        var frames = 0;
        for (var at = (int)WalFormat.FrameOffset(1, pageSize); at + 24 + pageSize <= wal.Length; at = (int)WalFormat.FrameOffset(++frames + 1, pageSize))
        {
            sum = WalFormat.Checksum(wal.AsSpan(at, 8), bigEndian, sum);
            sum = WalFormat.Checksum(wal.AsSpan(at + 24, pageSize), bigEndian, sum);
            Assert.Equal(Stored(at + 16), sum);
        }

        Assert.True(frames > 5);

        (uint, uint) Stored(int at) =>
            (BinaryPrimitives.ReadUInt32BigEndian(wal.AsSpan(at)), BinaryPrimitives.ReadUInt32BigEndian(wal.AsSpan(at + 4)));
    }
}
