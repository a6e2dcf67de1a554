namespace SignalHarvester.Backup.Continuous.Stream;

/// <summary>What a segment of a stream holds. The numbers are those of the format.</summary>
internal enum SegmentKind
{
    /// <summary>Transactions, in order.</summary>
    Commits = 1,

    /// <summary>No pages: an ordinary backup of the same store holds the database from here on.</summary>
    Base = 2,

    /// <summary>No pages: the timeline ends here, and another one continues.</summary>
    Seal = 3,
}
