namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>What the backups are meant to achieve (<c>app.backup.health</c>).</summary>
public sealed record HealthSettings
{
    /// <summary>How much work may be lost at most, as the age of the newest verified backup (RPO). The default is a daily backup with two hours to spare.</summary>
    public TimeSpan Rpo { get; init; } = TimeSpan.FromHours(26);

    /// <summary>How long a restore may take at most (RTO).</summary>
    public TimeSpan Rto { get; init; } = TimeSpan.FromHours(4);
}
