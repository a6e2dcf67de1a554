namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>The pages of several transactions in a row, each in its last version, which together are one commit of a standby.</summary>
/// <param name="pageSize">Bytes in a page.</param>
/// <param name="pageCount">Pages of the database before them.</param>
internal sealed class StandbyPages(int pageSize, uint pageCount)
{
    private const int LockByteOffset = 0x40000000;

    private readonly Dictionary<uint, ReadOnlyMemory<byte>> pages = [];
    private readonly byte[] zeros = new byte[pageSize];

    /// <summary>Pages of the database after them.</summary>
    public uint PageCount { get; private set; } = pageCount;

    /// <summary>Bytes of the pages.</summary>
    public long Bytes => pages.Count * (long)pageSize;

    /// <summary>The pages, ascending.</summary>
    public IReadOnlyList<FollowedPage> Pages => [.. pages.OrderBy(page => page.Key).Select(page => new FollowedPage(page.Key, page.Value))];

    /// <summary>Takes a transaction.</summary>
    /// <param name="written">The pages that it wrote.</param>
    /// <param name="pagesAfter">Pages of the database after it.</param>
    public void Take(IEnumerable<FollowedPage> written, uint pagesAfter)
    {
        foreach (var page in pages.Keys.Where(page => page > pagesAfter).ToList())
        {
            pages.Remove(page);
        }

        foreach (var page in written.Where(page => page.Number <= pagesAfter))
        {
            pages[page.Number] = page.Content;
        }

        // SQLite does not write a page that it adds and at once no longer needs; below may be what was cut off before.
        var lockPage = (LockByteOffset / (uint)pageSize) + 1;
        for (var page = PageCount + 1; page <= pagesAfter; page++)
        {
            if (page != lockPage)
            {
                pages.TryAdd(page, zeros);
            }
        }

        PageCount = pagesAfter;
    }
}
