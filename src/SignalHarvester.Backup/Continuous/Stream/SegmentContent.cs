namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>A segment that was read and checked.</summary>
/// <param name="Header">What it says of itself.</param>
/// <param name="Commits">Its transactions, in order, with their pages; none for a base or a seal.</param>
/// <param name="IsEncrypted">Whether it was encrypted.</param>
internal sealed record SegmentContent(SegmentHeader Header, IReadOnlyList<FollowedCommit> Commits, bool IsEncrypted);
