using CsCheck;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Chains;

/// <summary>The numbers of more pages than fit into memory.</summary>
public sealed class PagePositionsTests
{
    private const long PageCount = 1L << 32;

    // From blocks that share a place in memory, and from neighbours.
    private static readonly Gen<long> Page = Gen.Select(
        Gen.Long[0, 4], Gen.Long[0, 70], Gen.Long[1, 100_000], (far, block, near) => (far << 24) + (block << 14) + near);

    [Fact]
    public void Every_page_has_the_first_number_that_it_was_given() =>
        Page.Array[1, 400].Sample(
            pages =>
            {
                using var folder = new TempFolder();
                using var positions = new PagePositions(folder["positions"], PageCount);
                var expected = new Dictionary<long, uint>();
                for (uint number = 1; number <= pages.Length; number++)
                {
                    Assert.Equal(expected.TryAdd(pages[number - 1], number), positions.TryAdd(pages[number - 1], number));
                }

                Assert.All(pages, page => Assert.Equal(expected[page], positions[page]));
                Assert.All(pages.Select(page => page + 1).Where(page => !expected.ContainsKey(page)), page => Assert.Equal(0U, positions[page]));
            },
            iter: 100);

    [Fact]
    public void The_last_page_is_one_and_none_is_beyond_it()
    {
        using var folder = new TempFolder();
        using var positions = new PagePositions(folder["positions"], PageCount);

        Assert.True(positions.TryAdd(PageCount, 7));

        Assert.Equal(7U, positions[PageCount]);
        Assert.Throws<ArgumentOutOfRangeException>(() => positions[PageCount + 1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => positions[0]);
    }
}
