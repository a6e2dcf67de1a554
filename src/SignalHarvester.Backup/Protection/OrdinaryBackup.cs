namespace SignalHarvester.Backup.Protection;

/// <summary>An ordinary backup that was made beside a stream, and is not sent yet.</summary>
/// <param name="Backup">The backup.</param>
/// <param name="Transaction">The transaction that must be stored before it may be sent; null if it has no place in the stream.</param>
/// <param name="Unexplained">The pages that no transaction has written; null if they were not looked for.</param>
internal sealed record OrdinaryBackup(BackupMetadata Backup, long? Transaction, AuditResult? Unexplained);
