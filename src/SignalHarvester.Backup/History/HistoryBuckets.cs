namespace SignalHarvester.Backup.History;

/// <summary>
/// The upper bounds of the histograms' buckets, the same as the predecessor's. Rolled-up events were counted by them, so a
/// change needs a new version of the history's schema.
/// </summary>
internal static class HistoryBuckets
{
    private const double MiB = 1024 * 1024;

    /// <summary>Durations, in seconds.</summary>
    public static readonly double[] Seconds = [1, 5, 10, 30, 60, 120, 300, 600, 1800];

    /// <summary>Sizes, in bytes.</summary>
    public static readonly double[] Bytes = [MiB, 10 * MiB, 100 * MiB, 500 * MiB, 1024 * MiB, 5 * 1024 * MiB, 10 * 1024 * MiB];
}
