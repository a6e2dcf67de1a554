using SignalHarvester.Backup.Continuous.Holder;

namespace SignalHarvester.Backup.Continuous;

/// <summary>A commit that waits for its segment.</summary>
/// <param name="Commit">The commit.</param>
/// <param name="End">Its last frame in the log.</param>
/// <param name="Seen">When it was seen, as a time stamp of the clock.</param>
internal sealed record QueuedCommit(FollowedCommit Commit, LogPlace End, long Seen)
{
    /// <summary>Bytes of its pages.</summary>
    public long Bytes => Commit.Pages.Sum(page => (long)page.Content.Length);
}
