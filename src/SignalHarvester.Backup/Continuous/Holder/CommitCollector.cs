namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>
/// Collects the commits of one reading of the log. If their pages are more than there is room for, only the pages' numbers are kept:
/// those are enough for a backup of the pages that changed.
/// </summary>
/// <param name="room">Bytes of pages that may be kept.</param>
internal sealed class CommitCollector(long room)
{
    private readonly List<CollectedCommit> commits = [];
    private readonly HashSet<uint> changed = [];
    private readonly Dictionary<uint, int> open = [];
    private List<FollowedPage> pages = [];
    private long kept;

    /// <summary>The commits, in order. Without their pages if there was no room.</summary>
    public IReadOnlyList<CollectedCommit> Commits => commits;

    /// <summary>All pages that the commits wrote.</summary>
    public IReadOnlySet<uint> Changed => changed;

    /// <summary>Bytes of pages that are kept.</summary>
    public long Bytes => kept;

    /// <summary>Whether the commits have their pages.</summary>
    public bool HasPages => kept <= room;

    /// <summary>Takes the next frame of a transaction.</summary>
    public void Take(uint page, ReadOnlySpan<byte> content)
    {
        changed.Add(page);
        if (!HasPages)
        {
            return;
        }

        if (open.TryGetValue(page, out var index))
        {
            pages[index] = new FollowedPage(page, content.ToArray());
            return;
        }

        kept += content.Length;
        if (HasPages)
        {
            open.Add(page, pages.Count);
            pages.Add(new FollowedPage(page, content.ToArray()));
            return;
        }

        open.Clear();
        pages = [];
        for (var i = 0; i < commits.Count; i++)
        {
            commits[i] = commits[i] with { Pages = [] };
        }
    }

    /// <summary>Ends a transaction.</summary>
    /// <param name="pageCount">Pages of the database after it.</param>
    /// <param name="end">Its last frame.</param>
    public void Commit(uint pageCount, LogPlace end)
    {
        commits.Add(new CollectedCommit(pageCount, end, pages));
        pages = [];
        open.Clear();
    }
}
