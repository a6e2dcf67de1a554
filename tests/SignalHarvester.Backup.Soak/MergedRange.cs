namespace SignalHarvester.Backup.Soak;

/// <summary>Transactions of a stream that an ordinary backup holds together.</summary>
/// <param name="First">The first.</param>
/// <param name="Last">The last, which can be restored.</param>
internal sealed record MergedRange(long First, long Last);
