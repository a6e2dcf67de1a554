using CsCheck;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Formats.Seekable;

/// <summary>A content is read in any order, with few reads of the file and little memory.</summary>
public sealed class FrameCacheTests
{
    private const int FrameBytes = 64 << 10;
    private const int Frames = 40;

    private static readonly byte[] Plain = MakePlain();
    private static readonly byte[] Stored = MakeStored();

    [Fact]
    public void Whatever_is_read_in_whatever_order_is_the_content() =>
        Gen.Select(Gen.Select(Gen.Int[0, Plain.Length - 1], Gen.Int[1, 200_000]).Array[1, 60], Gen.Int[4, 50], Gen.Bool).Sample(
            (reads, frames, isRemote) =>
            {
                using var opened = Opened.Of(new MemoryBytes(Stored, isRemote), frames * FrameBytes);
                foreach (var (offset, length) in reads)
                {
                    var buffer = new byte[Math.Min(length, Plain.Length - offset)];
                    opened.Content.Read(offset, buffer);
                    Assert.True(buffer.AsSpan().SequenceEqual(Plain.AsSpan(offset, buffer.Length)));
                }
            },
            iter: Iterations.Of(60));

    [Fact]
    public void One_page_costs_one_frame()
    {
        var bytes = new MemoryBytes(Stored, isRemote: true);
        using var opened = Opened.Of(bytes);
        bytes.Reads.Clear();

        opened.Content.Read((20 * FrameBytes) + 5, new byte[4096]);
        opened.Content.Read((20 * FrameBytes) + 9000, new byte[4096]);

        Assert.Single(bytes.Reads);
    }

    [Fact]
    public void Over_a_network_neighbours_come_with_one_request()
    {
        var bytes = new MemoryBytes(Stored, isRemote: true);
        using var opened = Opened.Of(bytes);
        bytes.Reads.Clear();

        for (var offset = 0; offset < Plain.Length; offset += 4096)
        {
            opened.Content.Read(offset, new byte[Math.Min(4096, Plain.Length - offset)]);
        }

        Assert.InRange(bytes.Reads.Count, 1, Frames / 2);
        Assert.Equal(Stored.Length, bytes.Reads.Sum(read => read.Length) + (Stored.Length - FramesLength));
    }

    [Fact]
    public void A_reader_that_jumps_about_unpacks_no_frame_a_third_time()
    {
        using var folder = new TempFolder();
        var bytes = new MemoryBytes(Stored);
        using (var opened = Opened.Of(bytes, 4 * FrameBytes, folder.Path))
        {
            var random = new Random(1);
            for (var i = 0; i < 2000; i++)
            {
                var offset = random.Next(Plain.Length - 100);
                var buffer = new byte[100];
                opened.Content.Read(offset, buffer);
                Assert.True(buffer.AsSpan().SequenceEqual(Plain.AsSpan(offset, 100)));
            }

            Assert.InRange(bytes.Reads.Count, Frames, 4 * Frames);
            Assert.NotEmpty(Directory.GetDirectories(folder.Path));
        }

        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_reader_that_jumps_about_needs_no_place_for_the_frames_that_it_comes_back_to()
    {
        using var folder = new TempFolder();
        var noFolder = folder["file"];
        File.WriteAllText(noFolder, "in the way");
        using var opened = Opened.Of(new MemoryBytes(Stored), 4 * FrameBytes, noFolder);
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var offset = random.Next(Plain.Length - 100);
            var buffer = new byte[100];
            opened.Content.Read(offset, buffer);
            Assert.True(buffer.AsSpan().SequenceEqual(Plain.AsSpan(offset, 100)));
        }
    }

    [Fact]
    public void A_failed_read_is_an_error_each_time_and_the_next_one_can_succeed()
    {
        var fails = true;
        var bytes = new MemoryBytes(Stored)
        {
            BeforeRead = () =>
            {
                if (fails)
                {
                    throw new IOException("out of order");
                }
            },
        };
        fails = false;
        using var opened = Opened.Of(bytes);
        fails = true;

        Assert.Equal("out of order", Assert.Throws<IOException>(() => opened.Content.Read(0, new byte[10])).Message);
        Assert.Throws<IOException>(() => opened.Content.Read(0, new byte[10]));
        fails = false;

        opened.Content.Read(0, new byte[10]);
    }

    [Fact]
    public void A_damaged_frame_is_an_error_of_its_own_and_not_of_its_neighbours()
    {
        var damaged = Stored.ToArray();
        var index = Index;
        damaged[index.StoredOffset(3) + (index.StoredLength(3) / 2)] ^= 1;
        using var opened = Opened.Of(new MemoryBytes(damaged, isRemote: true));

        for (var frame = 0; frame < Frames; frame++)
        {
            if (frame == 3)
            {
                Assert.Throws<InvalidDataException>(() => opened.Content.Read(frame * FrameBytes, new byte[10]));
            }
            else
            {
                opened.Content.Read(frame * FrameBytes, new byte[10]);
            }
        }
    }

    [Fact]
    public void A_stop_ends_what_is_read_ahead()
    {
        using var stop = new CancellationTokenSource();
        using var opened = Opened.Until(new MemoryBytes(Stored), FrameCache.DefaultBytes, folder: null, stop.Token);
        opened.Content.Read(0, new byte[10]);
        stop.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => opened.Content.Read(30 * FrameBytes, new byte[10]));
    }

    private static FrameIndex Index =>
        FrameIndex.TryRead(new MemoryBytes(Stored), CompressionType.Zstd, TestContext.Current.CancellationToken)!;

    private static int FramesLength => (int)Index.StoredOffset(Frames - 1) + Index.StoredLength(Frames - 1);

    private static byte[] MakePlain()
    {
        var plain = new byte[(Frames * FrameBytes) - 1000];
        new Random(7).NextBytes(plain);
        for (var i = 0; i < plain.Length; i += 3)
        {
            plain[i] = 5;
        }

        return plain;
    }

    private static byte[] MakeStored()
    {
        using var compressor = Codec.Compressor(CompressionType.Zstd, 1);
        var table = new SeekTable();
        var file = new List<byte>();
        for (var offset = 0; offset < Plain.Length; offset += FrameBytes)
        {
            var chunk = new Chunk { PlainLength = Math.Min(FrameBytes, Plain.Length - offset) };
            Plain.AsSpan(offset, chunk.PlainLength).CopyTo(chunk.PlainSpan);
            compressor.Transform(chunk);
            table.Add(chunk.StoredLength, chunk.PlainLength);
            file.AddRange(chunk.StoredSpan);
        }

        return [.. file, .. table.ToBytes()];
    }
}
