using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>What the index of a log shows of others' work.</summary>
/// <param name="Header">The header; null while it is written.</param>
/// <param name="Backfilled">Frames that were copied to the database file.</param>
/// <param name="ReadMarks">The read marks.</param>
internal sealed record IndexProgress(WalIndexHeader? Header, uint Backfilled, string ReadMarks);
