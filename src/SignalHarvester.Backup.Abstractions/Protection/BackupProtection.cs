namespace SignalHarvester.Backup;

/// <summary>The continuous protection of one database, as it was a second ago.</summary>
public sealed record BackupProtection
{
    /// <summary>The database's full path.</summary>
    public required string Database { get; init; }

    /// <summary>What it is doing.</summary>
    public ProtectionState State { get; init; }

    /// <summary>Where its transactions go.</summary>
    public string? Store { get; init; }

    /// <summary>
    /// The age of the oldest transaction that is not stored; zero if all are. If nobody has looked for 30 seconds, at least the time since.
    /// </summary>
    public TimeSpan Lag { get; init; }

    /// <summary>The number of the last transaction that was read.</summary>
    public long Transaction { get; init; }

    /// <summary>The number of the last transaction that is stored.</summary>
    public long StoredTransaction { get; init; }

    /// <summary>When the last transaction was stored; null if none was since the start.</summary>
    public DateTimeOffset? LastStored { get; init; }

    /// <summary>When the database was last looked at: everything that was committed before is among the transactions. Null if that was never.</summary>
    public DateTimeOffset? LastLook { get; init; }

    /// <summary>The oldest moment to which the database can be restored by its transactions; null if there is none.</summary>
    public DateTimeOffset? RestorableFrom { get; init; }

    /// <summary>The newest moment to which it can be restored.</summary>
    public DateTimeOffset? RestorableTo { get; init; }

    /// <summary>The timeline of the stream.</summary>
    public int Timeline { get; init; }

    /// <summary>The number of the last stored segment.</summary>
    public long Segment { get; init; }

    /// <summary>Bytes of frames in the database's write-ahead log.</summary>
    public long LogBytes { get; init; }

    /// <summary>Segments that were stored since the start.</summary>
    public long Segments { get; init; }

    /// <summary>Bytes of them.</summary>
    public long SegmentBytes { get; init; }

    /// <summary>How often, since the start, transactions may have been missed, so that an ordinary backup had to take their place.</summary>
    public long Gaps { get; init; }

    /// <summary>When the whole database was last held against its transactions, page by page; null if it never was.</summary>
    public DateTimeOffset? LastAudit { get; init; }

    /// <summary>
    /// How often an audit found pages that no transaction had written: something else did, or hardware fails. It is 0 again three days after the last time,
    /// and not because the protection was started anew.
    /// </summary>
    public long AuditFindings { get; init; }

    /// <summary>When that was last so; null if it never was.</summary>
    public DateTimeOffset? LastFinding { get; init; }

    /// <summary>
    /// Segments that are missing in the store, of those that are kept: somebody deleted them. The transactions in them cannot be restored. Looked for
    /// once an hour.
    /// </summary>
    public long MissingSegments { get; init; }

    /// <summary>The time from a commit to its storage, of half of the transactions of the last day; null if there was none.</summary>
    public TimeSpan? DelayMedian { get; init; }

    /// <summary>The same of 99 of 100.</summary>
    public TimeSpan? DelayP99 { get; init; }

    /// <summary>The longest.</summary>
    public TimeSpan? DelayWorst { get; init; }

    /// <summary>The last ordinary backup of the stream.</summary>
    public string? LastBackup { get; init; }

    /// <summary>When the protection was started.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Its process.</summary>
    public int? ProcessId { get; init; }

    /// <summary>The last problem; null if there is none now.</summary>
    public string? Problem { get; init; }

    /// <summary>The id of the error that ended it; null if none did.</summary>
    public string? ErrorId { get; init; }
}
