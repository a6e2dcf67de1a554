namespace SignalHarvester.Backup.History;

/// <summary>The sums over all events that are alike and fall into the same buckets, kept or not.</summary>
/// <param name="Operation">What was done.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Type">The backup's type; null if it was not decided yet.</param>
/// <param name="Compression">How the backup is compressed; null if unknown.</param>
/// <param name="Provider">The kind of object store; null for none.</param>
/// <param name="RetentionPolicy">The calendar rule; null for a manual backup.</param>
/// <param name="Verified">Whether a verification passed; null if there was none.</param>
/// <param name="Events">How many.</param>
/// <param name="Backups">How many of them concern a certain backup.</param>
/// <param name="Duration">How long they took together.</param>
/// <param name="Bytes">The size of their backups together; null if they have none.</param>
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
