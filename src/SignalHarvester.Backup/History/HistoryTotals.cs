namespace SignalHarvester.Backup.History;

/// <summary>What a history says of all its time, at one moment.</summary>
/// <param name="Events">The sums, in a fixed order.</param>
/// <param name="LatestSuccess">When the last success of an operation on a database began.</param>
internal sealed record HistoryTotals(
    IReadOnlyList<EventTotal> Events,
    IReadOnlyDictionary<(BackupOperation Operation, string Database), DateTimeOffset> LatestSuccess)
{
    /// <summary>Of a directory in which nothing was ever done.</summary>
    public static HistoryTotals None { get; } = new([], new Dictionary<(BackupOperation, string), DateTimeOffset>());
}
