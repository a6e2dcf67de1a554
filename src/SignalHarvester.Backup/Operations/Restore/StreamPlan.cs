using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>How a transaction is restored: an ordinary backup, and the segments of the stream on top of it.</summary>
public sealed class StreamPlan
{
    internal StreamPlan(StreamStart start, StreamStart? next, IReadOnlyList<StoredSegment> segments, long transaction, DateTimeOffset time)
    {
        From = start;
        Next = next;
        Segments = segments;
        Transaction = transaction;
        Time = time;
    }

    /// <summary>The ordinary backup from which the restore begins.</summary>
    public BackupMetadata Start => From.Backup;

    /// <summary>The transaction.</summary>
    public long Transaction { get; }

    /// <summary>When it was committed, as far as the stream saw it.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>The number of segments on top of the backup; 0 if the backup holds exactly the transaction.</summary>
    public int SegmentCount => Segments.Count;

    /// <summary>Bytes of the segments as stored.</summary>
    public long SegmentBytes => Segments.Sum(segment => segment.Info.Length);

    /// <summary>The ordinary backup, with its place in the stream.</summary>
    internal StreamStart From { get; }

    /// <summary>The next ordinary backup of the stream; null if there is none.</summary>
    internal StreamStart? Next { get; }

    /// <summary>The segments on top of the backup, in order.</summary>
    internal IReadOnlyList<StoredSegment> Segments { get; }
}
