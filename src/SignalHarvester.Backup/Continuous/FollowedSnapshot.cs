using SignalHarvester.Backup.Continuous.Holder;

namespace SignalHarvester.Backup.Continuous;

/// <summary>A snapshot of a database, as its follower knows it.</summary>
/// <param name="Transaction">The number of its last transaction.</param>
/// <param name="Time">When that was seen.</param>
/// <param name="PageCount">Pages of the database.</param>
/// <param name="PageSize">Bytes in a page.</param>
/// <param name="Place">Where it ends in the log; null if the log is empty.</param>
/// <param name="Rest">The database file, if everything is in it; null if not.</param>
/// <param name="Digest">The digest of the stream there.</param>
/// <param name="Looked">When everything up to it was read; null if that is not known.</param>
/// <param name="Since">The backup since which it is known what changed; null if there is none.</param>
/// <param name="Changed">The pages that changed since that backup; null if there is none.</param>
internal sealed record FollowedSnapshot(
    long Transaction, DateTimeOffset Time, uint PageCount, int PageSize, LogPlace? Place, FileMark? Rest, StreamDigest Digest,
    DateTimeOffset? Looked, string? Since, IReadOnlyList<long>? Changed);
