namespace SignalHarvester.Backup.History;

/// <summary>The sums over all events with the same properties and the same buckets, whether they are kept or rolled up.</summary>
/// <param name="Operation">The operation.</param>
/// <param name="Status">Its result.</param>
/// <param name="Type">The backup's type; null if it was not decided yet.</param>
/// <param name="Compression">How the backup is compressed; null if unknown.</param>
/// <param name="Provider">The kind of object store; null for none.</param>
/// <param name="RetentionPolicy">The calendar rule; null for a manual backup.</param>
/// <param name="Verified">Whether a verification passed; null if there was none.</param>
/// <param name="Events">The number of events.</param>
/// <param name="Backups">The number of those that concern a certain backup.</param>
/// <param name="Duration">Their total duration.</param>
/// <param name="Bytes">The total size of their backups; null if they have none.</param>
internal sealed record EventTotal(
    BackupOperation Operation,
    BackupEventStatus Status,
    BackupType? Type,
    CompressionType? Compression,
    CloudProvider? Provider,
    RetentionPolicy? RetentionPolicy,
    bool? Verified,
    long Events,
    long Backups,
    TimeSpan Duration,
    long? Bytes);
