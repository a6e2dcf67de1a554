namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>The goals of the backups (<c>app.backup.health</c>).</summary>
public sealed record HealthSettings
{
    /// <summary>
    /// The most work that may be lost, as the age of the newest verified backup (RPO). The default is a daily backup with two
    /// hours to spare.
    /// </summary>
    public TimeSpan Rpo { get; init; } = TimeSpan.FromHours(26);

    /// <summary>The longest time that a restore may take (RTO).</summary>
    public TimeSpan Rto { get; init; } = TimeSpan.FromHours(4);
}
