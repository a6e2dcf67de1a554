namespace SignalHarvester.Backup.Soak;

/// <summary>How many of the applications' transactions an image may have.</summary>
/// <param name="Least">At least so many.</param>
/// <param name="Most">At most so many.</param>
internal sealed record TransactionRecordRange(int Least, int Most)
{
    /// <summary>Any moment.</summary>
    public static TransactionRecordRange All(IReadOnlyList<TransactionRecord> journal) => new(0, journal.Count);

    /// <summary>The end: all that were certainly committed.</summary>
    public static TransactionRecordRange End(IReadOnlyList<TransactionRecord> journal) =>
        new(journal.Count(record => record.After is not null), journal.Count);

    /// <summary>A moment, where a transaction may count as later by some delay.</summary>
    public static TransactionRecordRange At(IReadOnlyList<TransactionRecord> journal, DateTimeOffset time, TimeSpan delay) =>
        new(journal.Count(record => record.After <= time - delay), journal.Count(record => record.Before <= time));
}
