namespace SignalHarvester.Backup.History;

/// <summary>The sums over the whole time of a history, at one moment.</summary>
/// <param name="Events">The sums, in a fixed order.</param>
/// <param name="LatestSuccess">The start of the last success of each operation on each database.</param>
internal sealed record HistoryTotals(
    IReadOnlyList<EventTotal> Events,
    IReadOnlyDictionary<(BackupOperation Operation, string Database), DateTimeOffset> LatestSuccess)
{
    /// <summary>The totals of a directory without any operation.</summary>
    public static HistoryTotals None { get; } = new([], new Dictionary<(BackupOperation, string), DateTimeOffset>());
}
