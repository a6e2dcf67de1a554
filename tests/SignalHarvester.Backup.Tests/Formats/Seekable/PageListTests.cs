using CsCheck;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Formats.Seekable;

/// <summary>The list of an increment's pages comes back as it was written; a damaged one is found out.</summary>
public sealed class PageListTests
{
    [Fact]
    public void The_pages_come_back() =>
        Gen.UInt.Array[0, 200].Sample(
            numbers =>
            {
                long[] pages = [.. numbers.Where(number => number > 0).Distinct().Order().Select(number => (long)number)];
                var found = new List<long>();

                Assert.True(PageList.TryRead(Of(pages), found.Add));

                Assert.Equal(pages, found);
            },
            iter: Iterations.Of(500));

    [Fact]
    public void Neighbours_take_a_byte_each() => Assert.InRange(Of([.. Enumerable.Range(1, 10_000).Select(page => (long)page)]).Length, 10_000, 10_030);

    [Fact]
    public void Another_frame_is_no_list()
    {
        Assert.False(PageList.TryRead([0x5D, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 9], _ => { }));
        Assert.False(PageList.TryRead([], _ => { }));
    }

    [Fact]
    public void A_list_with_a_bit_that_changed_is_damaged()
    {
        var list = Of([1, 300, 70_000]);

        for (var bit = (8 + 4) * 8; bit < list.Length * 8; bit++)
        {
            var damaged = list.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<InvalidDataException>(() => PageList.TryRead(damaged, _ => { }));
        }

        Assert.Throws<InvalidDataException>(() => PageList.TryRead(list.AsSpan(..^1), _ => { }));
        Assert.Throws<InvalidDataException>(() => PageList.TryRead([.. list, 0], _ => { }));
    }

    private static byte[] Of(long[] pages)
    {
        var list = PageList.For(CompressionType.Zstd)!;
        foreach (var page in pages)
        {
            list.Add(page);
        }

        return list.ToBytes();
    }
}
