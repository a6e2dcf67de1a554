using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>Pages that are to become a commit.</summary>
/// <param name="Pages">The pages, each once.</param>
/// <param name="Before">Where the log must end before.</param>
/// <param name="After">Where it ends with them.</param>
internal sealed record PlannedAppend(IReadOnlyList<FollowedPage> Pages, WalIndexHeader Before, WalIndexHeader After);
