using System.Numerics;

namespace SignalHarvester.Backup.Formats;

/// <summary>A set of pages: one bit a page, 32 MiB for a database of a tebibyte with pages of 4096 bytes.</summary>
/// <param name="pageCount">The highest possible page; pages count from 1.</param>
internal sealed class PageSet(long pageCount)
{
    private readonly ulong[] words = new ulong[(pageCount + 63) / 64];

    /// <summary>The number of pages in the set.</summary>
    public long Count { get; private set; }

    /// <summary>The highest possible page.</summary>
    public long PageCount => pageCount;

    /// <summary>Adds a page.</summary>
    /// <returns>False if it was there already.</returns>
    public bool Add(long page)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(page, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(page, pageCount);
        ref var word = ref words[(page - 1) >> 6];
        var bit = 1UL << (int)((page - 1) & 63);
        if ((word & bit) != 0)
        {
            return false;
        }

        word |= bit;
        Count++;
        return true;
    }

    /// <summary>Returns this set with room for more pages; itself if it has the room.</summary>
    /// <param name="highest">A page that must be possible.</param>
    public PageSet WithRoom(long highest)
    {
        if (highest <= pageCount)
        {
            return this;
        }

        var larger = new PageSet(Math.Max(highest, 2 * pageCount)) { Count = Count };
        words.CopyTo(larger.words, 0);
        return larger;
    }

    /// <summary>Whether a page is in the set.</summary>
    public bool Contains(long page) => (words[(page - 1) >> 6] & (1UL << (int)((page - 1) & 63))) != 0;

    /// <summary>The pages, ascending.</summary>
    public IEnumerable<long> Pages()
    {
        for (var index = 0; index < words.Length; index++)
        {
            for (var word = words[index]; word != 0; word &= word - 1)
            {
                yield return (index * 64L) + BitOperations.TrailingZeroCount(word) + 1;
            }
        }
    }
}
