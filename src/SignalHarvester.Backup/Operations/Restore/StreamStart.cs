using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>An ordinary backup that can be restored, and its place in the stream.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="Position">Its place.</param>
internal sealed record StreamStart(BackupMetadata Backup, StreamPosition Position);
