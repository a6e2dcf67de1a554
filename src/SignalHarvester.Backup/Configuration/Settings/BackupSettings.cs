using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>
/// What is configured, valid and complete: paths are full ones, and what was left out has its default. Each default is
/// that of the cmdlets, so that a key that is not there means the same as no file at all. See docs/CONFIGURATION.md.
/// </summary>
public sealed record BackupSettings
{
    /// <summary>The databases to back up: <c>app.database_path</c> first, then <c>app.backup.databases</c>, each once. Empty where none is configured.</summary>
    public IReadOnlyList<DatabaseSettings> Databases { get; init; } = [];

    /// <summary>Whether schedules run at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The directory of the backups: a full path, but where nothing is configured the plain name <c>backups</c>, in the caller's location.</summary>
    public string BackupDirectory { get; init; } = "backups";

    /// <summary>How backups are compressed.</summary>
    public CompressionType Compression { get; init; } = CompressionType.Zstd;

    /// <summary>The codec's level: 1 to 19 for Zstd, 1 to 9 for Gzip; null for its default.</summary>
    public int? CompressionLevel { get; init; }

    /// <summary>Which kind of backup is made.</summary>
    public IncrementalSettings Incremental { get; init; } = new();

    /// <summary>When backups are made.</summary>
    public ScheduleSettings Schedule { get; init; } = new();

    /// <summary>Which backups are kept.</summary>
    public RetentionRules Retention { get; init; } = new();

    /// <summary>The object stores that are described, switched on or not, in the order s3, gcs, azure, directory.</summary>
    public IReadOnlyList<ObjectStoreSettings> Stores { get; init; } = [];

    /// <summary>Bytes per second that a command transfers at most, in each direction; null for no limit. It is in the options of each store already.</summary>
    public long? BandwidthLimit { get; init; }

    /// <summary>What is verified, and when.</summary>
    public VerificationSettings Verification { get; init; } = new();

    /// <summary>Encryption of the backups.</summary>
    public EncryptionSettings Encryption { get; init; } = new();

    /// <summary>Where metrics go.</summary>
    public MetricsSettings Metrics { get; init; } = new();

    /// <summary>What the backups are meant to achieve.</summary>
    public HealthSettings Health { get; init; } = new();

    /// <summary>What a restore drill asks the restored database.</summary>
    public IReadOnlyList<DrillAssertion> DrillAssertions { get; init; } = [];

    /// <summary>Whether databases are backed up that have names (hard links) outside their folder, although no log shows that this one is used.</summary>
    public bool AllowHardLink { get; init; }

    /// <summary>How many databases a scheduled run works on at once, 1 or more.</summary>
    public int ThrottleLimit { get; init; } = 4;

    /// <summary>All directories that configured backups go to, each once, the common one first.</summary>
    public IReadOnlyList<string> BackupDirectories =>
        [.. Databases.Select(database => database.BackupDirectory).Prepend(BackupDirectory).Distinct(StringComparer.Ordinal)];

    /// <summary>Where the backups of a database go: to the directory of its own, if it is configured with one, else to the common one.</summary>
    /// <param name="databasePath">The database's full path; null if unknown.</param>
    public string BackupDirectoryOf(string? databasePath) =>
        Databases.FirstOrDefault(database => database.Path == databasePath)?.BackupDirectory ?? BackupDirectory;
}
