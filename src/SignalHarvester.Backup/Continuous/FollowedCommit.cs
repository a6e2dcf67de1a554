namespace SignalHarvester.Backup.Continuous;

/// <summary>A committed transaction, as the write-ahead log holds it.</summary>
/// <param name="Number">Its number in the stream; each commit has the number after that of the commit before.</param>
/// <param name="Time">When it was first seen, in UTC and whole milliseconds; never before the commit before, whatever the clock does.</param>
/// <param name="Earliest">When the log was last read without it, or <paramref name="Time"/> if nothing says so: it was committed between these two.</param>
/// <param name="PageCount">Pages of the database after it.</param>
/// <param name="Pages">The pages that it wrote, each once, with the last content.</param>
/// <param name="Digest">The digest of the stream after it.</param>
internal sealed record FollowedCommit(
    long Number, DateTimeOffset Time, DateTimeOffset Earliest, uint PageCount, IReadOnlyList<FollowedPage> Pages, StreamDigest Digest);
