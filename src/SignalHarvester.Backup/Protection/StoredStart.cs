using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Protection;

/// <summary>An ordinary backup in the store, from which a stream leads on.</summary>
/// <param name="BackupId">The backup.</param>
/// <param name="Position">Its place in the stream.</param>
internal sealed record StoredStart(string BackupId, StreamPosition Position);
