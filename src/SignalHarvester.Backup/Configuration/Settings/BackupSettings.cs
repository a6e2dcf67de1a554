using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>
/// The valid and complete settings: paths are full ones, and missing keys have their defaults. Each default is that of
/// the cmdlets, so a missing key means the same as a missing file. See docs/CONFIGURATION.md.
/// </summary>
public sealed record BackupSettings
{
    /// <summary>The databases to back up: <c>app.database_path</c> first, then <c>app.backup.databases</c>, each once. Empty if none is configured.</summary>
    public IReadOnlyList<DatabaseSettings> Databases { get; init; } = [];

    /// <summary>Whether schedules run at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The directory of the backups: a full path, or, without configuration, the plain name <c>backups</c>, in the caller's location.</summary>
    public string BackupDirectory { get; init; } = "backups";

    /// <summary>The compression of backups.</summary>
    public CompressionType Compression { get; init; } = CompressionType.Zstd;

    /// <summary>The codec's level: 1 to 19 for Zstd, 1 to 9 for Gzip; null for its default.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>The kind of backup.</summary>
    public IncrementalSettings Incremental { get; init; } = new();

    /// <summary>When backups are made.</summary>
    public ScheduleSettings Schedule { get; init; } = new();

    /// <summary>Which backups are kept.</summary>
    public RetentionRules Retention { get; init; } = new();

    /// <summary>The described object stores, enabled or not, in the order s3, gcs, azure, directory.</summary>
    public IReadOnlyList<ObjectStoreSettings> Stores { get; init; } = [];

    /// <summary>The limit of a command's transfers, in bytes per second and direction; null for no limit. The options of each store include it.</summary>
    public long? BandwidthLimit { get; init; }

    /// <summary>What is verified, and when.</summary>
    public VerificationSettings Verification { get; init; } = new();

    /// <summary>Encryption of the backups.</summary>
    public EncryptionSettings Encryption { get; init; } = new();

    /// <summary>Continuous protection.</summary>
    public ContinuousSettings Continuous { get; init; } = new();

    /// <summary>Where metrics go.</summary>
    public MetricsSettings Metrics { get; init; } = new();

    /// <summary>The goals of the backups.</summary>
    public HealthSettings Health { get; init; } = new();

    /// <summary>The queries of a restore drill on the restored database.</summary>
    public IReadOnlyList<DrillAssertion> DrillAssertions { get; init; } = [];

    /// <summary>Whether databases with names (hard links) outside their folder are backed up, although no log shows that this name is in use.</summary>
    public bool AllowHardLink { get; init; }

    /// <summary>The number of databases that a scheduled run works on at once, 1 or more.</summary>
    public int ThrottleLimit { get; init; } = 4;

    /// <summary>All configured backup directories, each once, the common one first.</summary>
    public IReadOnlyList<string> BackupDirectories =>
        [.. Databases.Select(database => database.BackupDirectory).Prepend(BackupDirectory).Distinct(StringComparer.Ordinal)];

    /// <summary>The directory for the backups of a database: its own, if one is configured, else the common one.</summary>
    /// <param name="databasePath">The database's full path; null if unknown.</param>
    public string BackupDirectoryOf(string? databasePath) =>
        Databases.FirstOrDefault(database => database.Path == databasePath)?.BackupDirectory ?? BackupDirectory;
}
