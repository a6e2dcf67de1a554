namespace SignalHarvester.Backup.Metrics;

/// <summary>What metrics are to say beyond what the backup directory knows.</summary>
public sealed record MetricOptions
{
    /// <summary>The time between two backups of a database, by its full path, that its schedule promises; null where none is known.</summary>
    public Func<string, TimeSpan?> ExpectedInterval { get; init; } = _ => null;

    /// <summary>Labels that every metric gets, so that those of several backup directories can meet in one place.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}
