using System.Buffers.Binary;
using System.IO.Hashing;
using CsCheck;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Stream;

/// <summary>What is written into a segment is read from it, and nothing else.</summary>
public sealed class SegmentTests : IDisposable
{
    private static readonly StreamDigest Before = new(0x0123456789ABCDEF);

    private static readonly DateTimeOffset Start = new(2026, 11, 22, 2, 0, 0, TimeSpan.Zero);

    private readonly TempFolder folder = new();
    private readonly FileEncryption encryption;
    private readonly IdentityRing identities;

    public SegmentTests()
    {
        var key = BackupKeys.Create(folder["key"], TimeProvider.System);
        encryption = FileEncryption.Create(BackupEncryption.To([key.Recipient]));
        identities = IdentityRing.Empty.WithFile(folder["key"], TestContext.Current.CancellationToken);
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Transactions_come_back_as_they_were_written() => Gen.Select(
        Gen.Int[9, 16], Gen.Bool, Gen.Long[1, long.MaxValue / 2],
        Gen.Select(Gen.Int[0, 100_000], Gen.UInt[1, 1_000_000], Gen.Select(Gen.UInt[1, 1_000_000], Gen.Int).Array[1, 8]).Array[1, 12]).Sample(
        (bits, isEncrypted, first, shapes) =>
        {
            var pageSize = 1 << bits;
            var time = Start;
            var commits = Chained(shapes.Select((shape, index) => new FollowedCommit(
                first + index, time = time.AddMilliseconds(shape.Item1), time.AddMilliseconds(-(shape.Item1 % 777)), shape.Item2,
                [.. shape.Item3.DistinctBy(page => page.Item1).Select(page => Page(page.Item1, page.Item2, pageSize))], default)));
            var segment = Segment.Write(SegmentHeader.OfCommits(3, 42, pageSize, Before, commits), commits, isEncrypted ? encryption : null);

            var read = SegmentReader.Read(segment.Name, segment.Bytes, identities);
            var header = SegmentReader.TryReadHeader(segment.Name, segment.Bytes, identities);

            AssertSame(segment.Header, read.Header);
            Assert.Equal(commits.Count, read.Commits.Count);
            foreach (var (written, found) in commits.Zip(read.Commits))
            {
                Assert.Equal(
                    (written.Number, written.Time, written.Earliest, written.PageCount, written.Pages.Count),
                    (found.Number, found.Time, found.Earliest, found.PageCount, found.Pages.Count));
                Assert.All(written.Pages.Zip(found.Pages), pages => Assert.True(
                    pages.First.Number == pages.Second.Number && pages.First.Content.Span.SequenceEqual(pages.Second.Content.Span)));
            }

            // The header of a small encrypted segment is in its last piece, for which the whole segment is read.
            if (!isEncrypted)
            {
                AssertSame(segment.Header, header!);
            }
        },
        iter: Iterations.Of(60));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_change_of_a_byte_goes_unnoticed(bool isEncrypted)
    {
        var commits = TwoCommits(512);
        var segment = Segment.Write(SegmentHeader.OfCommits(1, 2, 512, Before, commits), commits, isEncrypted ? encryption : null);

        for (var at = 0; at < segment.Bytes.Length; at++)
        {
            var bytes = segment.Bytes.ToArray();
            bytes[at] ^= (byte)(1 << (at % 8));
            var fault = Record.Exception(() => SegmentReader.Read(segment.Name, bytes, identities));
            Assert.True(
                fault is InvalidDataException or NotSupportedException or BackupException { ErrorId: BackupErrorId.IdentityWrong },
                $"byte {at}: {fault?.ToString() ?? "read"}");
        }

        for (var length = 0; length < segment.Bytes.Length; length++)
        {
            Assert.ThrowsAny<InvalidDataException>(() => SegmentReader.Read(segment.Name, segment.Bytes[..length], identities));
        }
    }

    [Fact]
    public void A_segment_under_the_name_of_another_one_is_refused()
    {
        var commits = TwoCommits(512);
        var segment = Segment.Write(SegmentHeader.OfCommits(1, 2, 512, Before, commits), commits, encryption: null);

        Assert.Throws<InvalidDataException>(() => SegmentReader.Read(segment.Name with { Number = 3 }, segment.Bytes, identities));
        Assert.Throws<InvalidDataException>(() => SegmentReader.TryReadHeader(segment.Name with { Timeline = 2 }, segment.Bytes, identities));
    }

    [Fact]
    public void Pages_that_contradict_the_header_are_refused()
    {
        var commits = TwoCommits(512);
        var header = SegmentHeader.OfCommits(1, 2, 512, Before, commits);
        SegmentHeader[] lies =
        [
            header with { Commits = [header.Commits[0] with { Pages = 1 }, header.Commits[1] with { Pages = 3 }] },
            header with { Commits = [header.Commits[0], header.Commits[1] with { Pages = 3 }] },
            header with { Commits = [header.Commits[0] with { PageCount = 8 }, header.Commits[1]] },
            header with { PageSize = 1024 },
            header with { Previous = default },
            header with { Commits = [header.Commits[0] with { Digest = default }, header.Commits[1]] },
        ];

        Assert.All(lies, lie =>
        {
            var segment = Segment.Write(lie with { PageSize = 512 }, commits, encryption: null);
            var bytes = lie.PageSize == 512 ? segment.Bytes : Rewritten(segment.Bytes, lie);
            Assert.Throws<InvalidDataException>(() => SegmentReader.Read(segment.Name, bytes, identities));
        });
    }

    [Theory]
    [InlineData(1, uint.MaxValue, 4096)]
    [InlineData(1, 520_000, 4096)]
    [InlineData(40_000, uint.MaxValue, 65536)]
    [InlineData(70_000, uint.MaxValue, 65536)]
    public void A_header_that_names_more_pages_than_there_are_is_refused_before_memory_is_taken_for_them(int count, uint pages, int pageSize)
    {
        var honest = TwoCommits(pageSize);
        var segment = Segment.Write(SegmentHeader.OfCommits(1, 2, pageSize, Before, honest), honest, encryption: null);
        var header = segment.Header with
        {
            LastTransaction = 9 + count,
            Time = Start,
            Commits = [.. Enumerable.Range(10, count).Select(number => new SegmentCommit(number, Start, Start, pages, 9, Before))],
        };
        foreach (var bytes in (byte[][])[SegmentHeaderFormat.Write(header, []), Rewritten(segment.Bytes, header)])
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<InvalidDataException>(() => SegmentReader.Read(segment.Name, bytes, identities));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 32 << 20);
        }
    }

    [Fact]
    public void What_a_later_version_adds_at_the_end_is_passed_over_and_a_new_form_is_refused()
    {
        var segment = Segment.Write(
            new SegmentHeader
            {
                Kind = SegmentKind.Seal,
                Timeline = 1,
                Number = 7,
                FirstTransaction = 5,
                LastTransaction = 4,
                Time = Start,
                PageSize = 4096,
                PageCount = 9,
                Previous = Before,
                Digest = Before,
                NextTimeline = 2,
            },
            [],
            encryption: null);
        var plain = segment.Bytes.ToArray();
        var length = BinaryPrimitives.ReadInt32LittleEndian(plain.AsSpan(4)) + 8;
        byte[] longer = [.. plain.AsSpan(0, length - 8), 1, 2, 3, .. plain.AsSpan(length - 8)];
        BinaryPrimitives.WriteInt32LittleEndian(longer.AsSpan(4), length - 8 + 3);
        longer[13] = 9;
        Sum(longer, length + 3);
        Assert.Equal(2, SegmentReader.Read(segment.Name, longer, identities).Header.NextTimeline);

        longer[12] = 2;
        Sum(longer, length + 3);
        Assert.Throws<NotSupportedException>(() => SegmentReader.Read(segment.Name, longer, identities));
    }

    [Fact]
    public void A_name_is_read_as_it_is_written()
    {
        foreach (var name in (SegmentName[])[new(1, 42), new(999_999, 999_999_999_999)])
        {
            Assert.Equal(name, SegmentName.TryParse(name.ToString()));
        }

        Assert.Equal("seg_000001_000000000042.seg", new SegmentName(1, 42).ToString());
        Assert.All(
            (string[])["seg_000001_000000000042.seg.age", "seg_000001_00000000004x.seg", "seg_000000_000000000042.seg", "seg_000001_000000000000.seg",
                "seg_+00001_000000000042.seg", "seg_000001-000000000042.seg", "probe_0123", string.Empty],
            text => Assert.Null(SegmentName.TryParse(text)));
    }

    private static List<FollowedCommit> TwoCommits(int pageSize) => Chained(
    [
        new(10, Start, Start, 9, [Page(1, 1, pageSize), Page(9, 2, pageSize)], default),
        new(11, Start.AddSeconds(1), Start, 9, [Page(3, 3, pageSize), Page(1, 4, pageSize)], default),
    ]);

    private static List<FollowedCommit> Chained(IEnumerable<FollowedCommit> commits)
    {
        var digest = Before;
        return [.. commits.Select(commit => commit with { Digest = digest = digest.After(commit.PageCount, commit.Pages) })];
    }

    private static FollowedPage Page(uint number, int seed, int pageSize)
    {
        var content = new byte[pageSize];
        new Random(seed).NextBytes(content.AsSpan(0, pageSize / 2));
        return new FollowedPage(number, content);
    }

    private static void AssertSame(SegmentHeader expected, SegmentHeader found)
    {
        Assert.Equal(expected.Commits, found.Commits);
        Assert.Equal(expected with { Commits = [] }, found with { Commits = expected.Commits.Count == 0 ? found.Commits : [] });
    }

    private static byte[] Rewritten(ReadOnlyMemory<byte> bytes, SegmentHeader header)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[4..]) + 8;
        return [.. SegmentHeaderFormat.Write(header, bytes.Span[length..]), .. bytes.Span[length..]];
    }

    private static void Sum(byte[] bytes, int length) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(length - 8), XxHash64.HashToUInt64(bytes.AsSpan(0, length - 8)));
}
