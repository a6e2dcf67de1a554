namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>A transaction, as the header of its segment describes it.</summary>
/// <param name="Number">Its number in the stream.</param>
/// <param name="Time">When it was first seen.</param>
/// <param name="Earliest">When the log was last read without it: it was committed between these two.</param>
/// <param name="Pages">The number of pages that it wrote.</param>
/// <param name="PageCount">Pages of the database after it.</param>
/// <param name="Digest">The digest of the stream after it.</param>
internal sealed record SegmentCommit(long Number, DateTimeOffset Time, DateTimeOffset Earliest, long Pages, uint PageCount, StreamDigest Digest);
