using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption;

namespace SignalHarvester.Backup.Protection;

/// <summary>The options of continuous protection.</summary>
public sealed record ProtectionOptions
{
    /// <summary>The time between two segments in the long run. The first ones after a pause go at once.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The time between two ordinary backups, if anything changed.</summary>
    public TimeSpan BackupInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The time between two audits, in which an ordinary backup reads every page and holds the database against its transactions.</summary>
    public TimeSpan AuditInterval { get; init; } = TimeSpan.FromDays(1);

    /// <summary>How long each transaction can be restored.</summary>
    public TimeSpan KeepTransactions { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Whether segments are left in the store when they are older than that.</summary>
    public bool KeepsSegments { get; init; }

    /// <summary>Whether a stream that another writer has continued is taken over.</summary>
    public bool TakesOver { get; init; }

    /// <summary>Whether it runs SQLite's checkpoints. If not, the application must.</summary>
    public bool Checkpoints { get; init; } = true;

    /// <summary>Whether a missing bucket, container or folder is created.</summary>
    public bool CreatesContainer { get; init; }

    /// <summary>The retention policy of the ordinary backups.</summary>
    public RetentionPolicy RetentionPolicy { get; init; } = RetentionPolicy.Daily;

    /// <summary>The encryption of segments and backups; null for none.</summary>
    public BackupEncryption? Encryption { get; init; }

    /// <summary>The codec of the ordinary backups.</summary>
    public CompressionType Compression { get; init; } = CompressionType.Zstd;

    /// <summary>Its level; null for its default.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>How long the end waits for the store.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The options that are settings.</summary>
    /// <param name="settings">The settings.</param>
    public static ProtectionOptions Of(ContinuousSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return new ProtectionOptions
        {
            Interval = settings.Interval,
            BackupInterval = settings.BackupInterval,
            AuditInterval = settings.AuditInterval,
            KeepTransactions = settings.KeepTransactions,
            KeepsSegments = settings.KeepRemote,
            Checkpoints = settings.Checkpoint,
        };
    }
}
