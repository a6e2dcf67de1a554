namespace SignalHarvester.Backup;

/// <summary>
/// A transaction in a stream, as continuous protection keeps it in a store. Restore-SHBackup -Transaction restores the database as it left it.
/// </summary>
public sealed record BackupTransaction
{
    /// <summary>Its number. Each transaction of a database has the number after that of the one before.</summary>
    public required long Transaction { get; init; }

    /// <summary>
    /// The first of the transactions that can only be reached together, as they were not seen one by one; the same as Transaction for all others.
    /// </summary>
    public required long FirstTransaction { get; init; }

    /// <summary>When it was first seen, in UTC: milliseconds after its commit.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>
    /// When the log was last read without it, in UTC: it was committed between this moment and <see cref="Timestamp"/>. That is milliseconds, unless the
    /// protection was down or suspended. Null where an ordinary backup holds it.
    /// </summary>
    public DateTimeOffset? Earliest { get; init; }

    /// <summary>The pages that it wrote; null where an ordinary backup holds it.</summary>
    public long? Pages { get; init; }

    /// <summary>Its bytes in the store: its share of the segment by its pages; null where an ordinary backup holds it.</summary>
    public long? Size { get; init; }

    /// <summary>
    /// The timeline, from 1. A takeover and a promotion seal one and begin the next, after which nothing is added to the former; numbers and times of
    /// transactions go on over all of them.
    /// </summary>
    public required int Timeline { get; init; }

    /// <summary>The name of the segment that holds it.</summary>
    public required string Segment { get; init; }

    /// <summary>The ordinary backup that holds it; null if the segment does.</summary>
    public string? BackupId { get; init; }

    /// <summary>The database.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>Whether it can only be reached together with others before it.</summary>
    public bool IsMerged => FirstTransaction < Transaction;

    /// <summary>The store of the stream.</summary>
    public required StoreLocation Store { get; init; }

    /// <summary>The number.</summary>
    public override string ToString() => Transaction.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
