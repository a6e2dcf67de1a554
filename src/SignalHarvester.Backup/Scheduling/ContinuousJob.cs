using SignalHarvester.Backup.Configuration.Settings;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>How a schedule protects databases continuously. A null value comes from the settings at the start.</summary>
public sealed record ContinuousJob
{
    /// <summary>The time between two segments in the long run.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>The time between two ordinary backups.</summary>
    public TimeSpan? BackupInterval { get; init; }

    /// <summary>The time between two audits.</summary>
    public TimeSpan? AuditInterval { get; init; }

    /// <summary>How long each transaction can be restored.</summary>
    public TimeSpan? KeepTransactions { get; init; }

    /// <summary>Whether old segments are left in the store.</summary>
    public bool? KeepRemote { get; init; }

    /// <summary>Whether SQLite's checkpoints are run.</summary>
    public bool? Checkpoint { get; init; }

    /// <summary>The settings with these values over them.</summary>
    /// <param name="settings">The settings.</param>
    public ContinuousSettings Over(ContinuousSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings with
        {
            Interval = Interval ?? settings.Interval,
            BackupInterval = BackupInterval ?? settings.BackupInterval,
            AuditInterval = AuditInterval ?? settings.AuditInterval,
            KeepTransactions = KeepTransactions ?? settings.KeepTransactions,
            KeepRemote = KeepRemote ?? settings.KeepRemote,
            Checkpoint = Checkpoint ?? settings.Checkpoint,
        };
    }
}
