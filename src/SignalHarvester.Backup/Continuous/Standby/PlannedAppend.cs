using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>Frames that are to become a commit.</summary>
/// <param name="Header">The header of the log, if it begins with them; empty if not.</param>
/// <param name="Frames">The frames.</param>
/// <param name="Pages">Their pages' numbers.</param>
/// <param name="Before">Where the log must end before.</param>
/// <param name="After">Where it ends with them.</param>
internal sealed record PlannedAppend(byte[] Header, IReadOnlyList<byte[]> Frames, IReadOnlyList<uint> Pages, WalIndexHeader Before, WalIndexHeader After);
