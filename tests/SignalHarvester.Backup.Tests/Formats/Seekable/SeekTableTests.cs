using System.Buffers.Binary;
using CsCheck;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Formats.Seekable;

/// <summary>Where the frames of a file are is known from its table, or from the frames' headers; a table that lies is found out.</summary>
public sealed class SeekTableTests
{
    private const int FooterSize = 9;

    [Fact]
    public void A_table_and_the_headers_of_the_frames_say_the_same() =>
        Gen.Select(Gen.Int[1, 300_000].Array[1, 6], Gen.Int[0, 1000], Gen.Int[0, 2]).Sample(
            (lengths, seed, kind) =>
            {
                int[] same = [.. Enumerable.Repeat(lengths[0], lengths.Length - 1), Math.Min(lengths[0], lengths[^1])];
                var (file, frames) = Zstd(same, seed, kind);
                var table = new SeekTable();
                frames.ForEach(frame => table.Add(frame.Stored, frame.Content));
                var walked = IndexOf(new MemoryBytes(file))!;
                var read = IndexOf(new MemoryBytes([.. file, .. table.ToBytes()]))!;

                Assert.Equal((frames.Count, frames.Count), (walked.Count, read.Count));
                for (var frame = 0; frame < frames.Count; frame++)
                {
                    Assert.Equal((walked.StoredOffset(frame), walked.StoredLength(frame)), (read.StoredOffset(frame), read.StoredLength(frame)));
                    Assert.Equal((walked.ContentOffset(frame), walked.ContentLengthOf(frame)), (read.ContentOffset(frame), read.ContentLengthOf(frame)));
                    Assert.Equal(frames[frame].Stored, walked.StoredLength(frame));
                    Assert.Equal(frame, read.Find(read.ContentOffset(frame)));
                    Assert.Equal(frame, read.Find(read.ContentOffset(frame) + read.ContentLengthOf(frame) - 1));
                }
            },
            iter: Iterations.Of(60));

    [Fact]
    public void A_table_is_read_with_one_read_and_nothing_else_of_the_file_is()
    {
        var (file, frames) = Zstd([100_000, 100_000, 50_000], 1, 0);
        var table = new SeekTable();
        frames.ForEach(frame => table.Add(frame.Stored, frame.Content));
        var bytes = new MemoryBytes([.. file, .. table.ToBytes()], isRemote: true);

        Assert.NotNull(IndexOf(bytes));

        Assert.Single(bytes.Reads);
    }

    [Fact]
    public void What_is_not_compressed_may_end_like_a_table()
    {
        // The last row of a database can be the end of a seekable file that an application keeps in it.
        byte[] file = [.. new byte[5000], 7, 0, 0, 0, 0, 0xB1, 0xEA, 0x92, 0x8F];

        Assert.Equal(file.Length, FrameIndex.TryRead(new MemoryBytes(file), CompressionType.None, TestContext.Current.CancellationToken)!.ContentLength);
    }

    [Fact]
    public void Over_a_network_a_file_without_a_table_is_not_sought_through()
    {
        var (file, _) = Zstd([100_000, 100_000], 1, 0);
        var bytes = new MemoryBytes(file, isRemote: true);

        Assert.Null(IndexOf(bytes));

        Assert.True(bytes.Reads.Count <= 2);
    }

    [Fact]
    public void A_table_that_contradicts_the_file_is_damage()
    {
        var (file, frames) = Zstd([100_000, 100_000, 100_000], 1, 0);
        var table = new SeekTable();
        frames.ForEach(frame => table.Add(frame.Stored, frame.Content));
        byte[] whole = [.. file, .. table.ToBytes()];
        var begin = file.Length;

        Assert.All(
            new Action<byte[]>[]
            {
                bytes => bytes[begin + 8]++,
                bytes => bytes[begin]++,
                bytes => bytes[begin + 4]++,
                bytes => bytes[^FooterSize]++,
                bytes => BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(bytes.Length - FooterSize), int.MaxValue),
                bytes => bytes[^5] |= 0x04,
            },
            change =>
            {
                var lying = whole.ToArray();
                change(lying);
                Assert.Throws<InvalidDataException>(() => IndexOf(new MemoryBytes(lying)));
            });
        Assert.NotNull(IndexOf(new MemoryBytes(whole)));
    }

    [Fact]
    public void Entries_that_move_frames_to_another_place_are_not_believed()
    {
        var (file, frames) = Zstd([100_000, 100_000, 100_000], 1, 0);
        var table = new SeekTable();
        table.Add(frames[0].Stored, 50_000);
        table.Add(frames[1].Stored, 100_000);
        table.Add(frames[2].Stored, 150_000);

        var index = IndexOf(new MemoryBytes([.. file, .. table.ToBytes()]))!;

        // By the frames' own headers.
        Assert.Equal([0L, 100_000L, 200_000L], Enumerable.Range(0, 3).Select(index.ContentOffset));
    }

    [Fact]
    public void A_frame_that_is_not_where_the_table_says_is_damage()
    {
        var (file, frames) = Zstd([100_000, 100_000, 100_000], 1, 0);
        var table = new SeekTable();
        table.Add(frames[0].Stored + 1, 100_000);
        table.Add(frames[1].Stored - 1, 100_000);
        table.Add(frames[2].Stored, 100_000);

        using var opened = Opened.Of([.. file, .. table.ToBytes()]);

        Assert.Throws<InvalidDataException>(() => opened.Content.Read(100_000, new byte[10]));
        opened.Content.Read(200_000, new byte[10]);
    }

    [Fact]
    public void A_last_frame_of_a_few_bytes_is_read_too()
    {
        const int length = 3;
        var (file, frames) = Zstd([2 * length, length], 1, 1);

        // The longest header of a frame has 18 bytes.
        Assert.True(frames[1].Stored < 18);
        var table = new SeekTable();
        frames.ForEach(frame => table.Add(frame.Stored, frame.Content));
        var content = new byte[length];

        using var opened = Opened.Of([.. file, .. table.ToBytes()]);
        opened.Content.Read(2 * length, content);

        Assert.All(content, value => Assert.Equal(7, value));
    }

    [Fact]
    public void A_small_first_frame_of_another_tool_leads_to_no_wrong_place()
    {
        var (file, _) = Zstd([1, 300_000, 7], 1, 1);
        var index = FrameIndex.TryRead(new MemoryBytes(file), CompressionType.Zstd, TestContext.Current.CancellationToken)!;

        Assert.Equal([0, 1, 1, 2], new long[] { 0, 1, 300_000, 300_001 }.Select(index.Find));
    }

    [Fact]
    public void A_table_that_claims_more_than_a_frame_can_have_is_not_made_room_for()
    {
        var table = new SeekTable();
        table.Add(1 << 30, 100_000);
        var file = new HugeBytes((1L << 30) + table.ToBytes().Length, table.ToBytes());

        Assert.NotEqual(
            CompressionType.Zstd, FrameIndex.TryRead(file, CompressionType.Zstd, TestContext.Current.CancellationToken)!.Compression);

        // Its last bytes alone say that it has 200 million frames.
        var end = new byte[9];
        BinaryPrimitives.WriteInt32LittleEndian(end, 200_000_000);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(5), 0x8F92EAB1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(
            () => FrameIndex.TryRead(new HugeBytes(4L << 30, end), CompressionType.Zstd, TestContext.Current.CancellationToken));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 << 20);
    }

    [Fact]
    public void A_file_that_is_cut_is_damage_or_cannot_be_read_in_pieces()
    {
        var (file, _) = Zstd([100_000, 100_000], 1, 1);

        for (var length = 20; length < file.Length; length += 997)
        {
            try
            {
                Assert.NotEqual(200_000, IndexOf(new MemoryBytes(file[..length]))?.ContentLength);
            }
            catch (InvalidDataException)
            {
                // That is what it is.
            }
        }
    }

    /// <summary>Makes frames of noise, of repetition, or of both.</summary>
    private static FrameIndex? IndexOf(MemoryBytes file) => FrameIndex.TryRead(file, CompressionType.Zstd, TestContext.Current.CancellationToken);

    private static (byte[] File, List<(int Stored, int Content)> Frames) Zstd(int[] lengths, int seed, int kind)
    {
        using var compressor = Codec.Compressor(CompressionType.Zstd, 1);
        var random = new Random(seed);
        var file = new List<byte>();
        var frames = new List<(int, int)>();
        foreach (var length in lengths)
        {
            var chunk = new Chunk { PlainLength = length };
            random.NextBytes(chunk.PlainSpan);
            if (kind > 0)
            {
                chunk.PlainSpan[(kind == 1 ? 0 : length / 2)..].Fill(7);
            }

            compressor.Transform(chunk);
            file.AddRange(chunk.StoredSpan);
            frames.Add((chunk.StoredLength, length));
        }

        return ([.. file], frames);
    }

    /// <summary>A file over a network, of zeros, with something at its end.</summary>
    private sealed class HugeBytes(long length, byte[] end) : IStoredBytes
    {
        public long Length => length;

        public int PieceBytes => 1;

        public bool IsRemote => true;

        public bool IsAuthenticated => false;

        public void Read(long offset, Memory<byte> buffer, CancellationToken cancellation)
        {
            buffer.Span.Clear();
            for (var i = 0; i < end.Length; i++)
            {
                var at = length - end.Length + i - offset;
                if (at >= 0 && at < buffer.Length)
                {
                    buffer.Span[(int)at] = end[i];
                }
            }
        }

        public void Dispose()
        {
            // Holds nothing.
        }
    }
}
