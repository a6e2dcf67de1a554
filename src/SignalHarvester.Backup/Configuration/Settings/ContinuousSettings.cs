namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>Continuous protection: <c>app.backup.continuous</c>. Each value applies where no parameter gives one.</summary>
public sealed record ContinuousSettings
{
    /// <summary>The time between two segments in the long run.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The time between two ordinary backups, if anything changed.</summary>
    public TimeSpan BackupInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The time between two audits, in which an ordinary backup reads every page.</summary>
    public TimeSpan AuditInterval { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long each transaction can be restored.</summary>
    public TimeSpan KeepTransactions { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Whether old segments are left in the store.</summary>
    public bool KeepRemote { get; init; }

    /// <summary>Whether SQLite's checkpoints are run.</summary>
    public bool Checkpoint { get; init; } = true;

    /// <summary>The name of the store; null for the only enabled one.</summary>
    public string? Store { get; init; }
}
