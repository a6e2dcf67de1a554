namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>What a segment says of itself, before its pages.</summary>
internal sealed record SegmentHeader
{
    /// <summary>What it holds.</summary>
    public required SegmentKind Kind { get; init; }

    /// <summary>Its timeline, from 1.</summary>
    public required int Timeline { get; init; }

    /// <summary>Its number in the timeline, from 1.</summary>
    public required long Number { get; init; }

    /// <summary>
    /// Its first transaction. Of a <see cref="SegmentKind.Base"/>, the first of those that can only be reached together; one more than
    /// <see cref="LastTransaction"/> if there is none.
    /// </summary>
    public required long FirstTransaction { get; init; }

    /// <summary>The transaction after it.</summary>
    public required long LastTransaction { get; init; }

    /// <summary>The time of the last transaction, in UTC and whole milliseconds.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Bytes in a page of the database.</summary>
    public required int PageSize { get; init; }

    /// <summary>Pages of the database after it.</summary>
    public required uint PageCount { get; init; }

    /// <summary>The digest of the stream before it: that of the segment before it.</summary>
    public required StreamDigest Previous { get; init; }

    /// <summary>The digest of the stream after it. Of a <see cref="SegmentKind.Base"/> it is a new one.</summary>
    public required StreamDigest Digest { get; init; }

    /// <summary>Its transactions, in order; none unless it is <see cref="SegmentKind.Commits"/>.</summary>
    public IReadOnlyList<SegmentCommit> Commits { get; init; } = [];

    /// <summary>Why the stream continues from an ordinary backup; null unless it is a <see cref="SegmentKind.Base"/>.</summary>
    public BaseReason? Reason { get; init; }

    /// <summary>The ordinary backup that holds the database as it was at the last transaction; null unless it is a <see cref="SegmentKind.Base"/>.</summary>
    public string? BackupId { get; init; }

    /// <summary>The database; null unless it is a <see cref="SegmentKind.Base"/>.</summary>
    public string? DatabasePath { get; init; }

    /// <summary>The timeline that continues; null unless it is a <see cref="SegmentKind.Seal"/>.</summary>
    public int? NextTimeline { get; init; }

    /// <summary>
    /// Of a <see cref="SegmentKind.Seal"/>, random: of two machines that seal the same timeline at once, each finds out whether it was its own seal that
    /// came first.
    /// </summary>
    public ulong Sealer { get; init; }

    /// <summary>Describes the seal of a timeline.</summary>
    /// <param name="last">Its last segment.</param>
    /// <param name="sealer">What tells this seal from another machine's.</param>
    public static SegmentHeader SealAfter(SegmentHeader last, ulong sealer) => last with
    {
        Kind = SegmentKind.Seal,
        Number = last.Number + 1,
        FirstTransaction = last.LastTransaction + 1,
        Previous = last.Digest,
        Commits = [],
        Reason = null,
        BackupId = null,
        DatabasePath = null,
        NextTimeline = last.Timeline + 1,
        Sealer = sealer,
    };

    /// <summary>Describes a segment of transactions.</summary>
    /// <param name="timeline">Its timeline.</param>
    /// <param name="number">Its number in the timeline.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="previous">The digest of the stream before it.</param>
    /// <param name="commits">The transactions, in order; at least one.</param>
    public static SegmentHeader OfCommits(
        int timeline, long number, int pageSize, StreamDigest previous, IReadOnlyList<FollowedCommit> commits) => new()
        {
            Kind = SegmentKind.Commits,
            Timeline = timeline,
            Number = number,
            FirstTransaction = commits[0].Number,
            LastTransaction = commits[^1].Number,
            Time = commits[^1].Time,
            PageSize = pageSize,
            PageCount = commits[^1].PageCount,
            Previous = previous,
            Digest = commits[^1].Digest,
            Commits = [.. commits.Select(commit =>
                new SegmentCommit(commit.Number, commit.Time, commit.Earliest, commit.Pages.Count, commit.PageCount, commit.Digest))],
        };

    /// <summary>Whether a state of the database is the one that the stream has after a transaction of this segment, or after the last one before it.</summary>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="mark">What its digest is recognised by.</param>
    public bool Confirms(long transaction, string mark) =>
        (transaction == LastTransaction && Digest.Mark == mark)
        || (transaction == FirstTransaction - 1 && Previous.Mark == mark)
        || Commits.FirstOrDefault(commit => commit.Number == transaction)?.Digest.Mark == mark;
}
