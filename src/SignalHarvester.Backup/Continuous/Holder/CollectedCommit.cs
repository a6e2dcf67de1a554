namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>A commit as it was read.</summary>
/// <param name="PageCount">Pages of the database after it.</param>
/// <param name="End">Its last frame.</param>
/// <param name="Pages">Its pages, each once; none if there was no room for them.</param>
internal sealed record CollectedCommit(uint PageCount, LogPlace End, IReadOnlyList<FollowedPage> Pages);
