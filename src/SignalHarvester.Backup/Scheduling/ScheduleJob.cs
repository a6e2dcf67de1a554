using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>
/// What a schedule does. What is null here is as the settings file says it at the time of the run, or else as the cmdlets
/// have it. No secret is in it: credentials come from the platform's own chain each time.
/// </summary>
public sealed record ScheduleJob
{
    /// <summary>What is done.</summary>
    public ScheduleAction Action { get; init; }

    /// <summary>The full path of the settings file; null for none.</summary>
    public string? ConfigurationPath { get; init; }

    /// <summary>The databases: full paths, with wildcards. Empty for those of the settings file.</summary>
    public IReadOnlyList<string> Databases { get; init; } = [];

    /// <summary>The full path of the backup directory.</summary>
    public string? BackupDirectory { get; init; }

    /// <summary>The kind of backup.</summary>
    public BackupStrategy? Type { get; init; }

    /// <summary>How backups are compressed.</summary>
    public CompressionType? Compression { get; init; }

    /// <summary>The calendar rule that the backups are made for; null for manual ones.</summary>
    public RetentionPolicy? RetentionPolicy { get; init; }

    /// <summary>Whether the retention rules are applied after the backups.</summary>
    public bool Prune { get; init; }

    /// <summary>The daily backups to keep.</summary>
    public int? KeepDaily { get; init; }

    /// <summary>The weekly backups to keep.</summary>
    public int? KeepWeekly { get; init; }

    /// <summary>The monthly backups to keep.</summary>
    public int? KeepMonthly { get; init; }

    /// <summary>The time within which every backup is kept.</summary>
    public TimeSpan? KeepWithin { get; init; }

    /// <summary>Whether backups are published without being read back.</summary>
    public bool NoVerify { get; init; }

    /// <summary>The object store that backups are sent to, besides those of the settings file.</summary>
    public StoreLocation? Upload { get; init; }

    /// <summary>How that store is used.</summary>
    public StoreOptions? UploadOptions { get; init; }

    /// <summary>Whether a bucket, container or folder that is missing there is made.</summary>
    public bool CreateContainer { get; init; }

    /// <summary>How many databases are worked on at once.</summary>
    public int? ThrottleLimit { get; init; }

    /// <summary>How much of all stored bytes a scrub reads, in percent, 1 to 100; null for all.</summary>
    public int? ScrubPercent { get; init; }

    /// <summary>The time after which a scrub begins no further file; null for none.</summary>
    public TimeSpan? ScrubBudget { get; init; }

    /// <summary>The settings that a run goes by: what the file says, and on top of it what the schedule says.</summary>
    internal BackupSettings Over(BackupSettings settings) => settings with
    {
        Databases = Databases.Count == 0 ? settings.Databases : [],
        BackupDirectory = BackupDirectory ?? settings.BackupDirectory,
        Compression = Compression ?? settings.Compression,
        CompressionLevel = Compression is null ? settings.CompressionLevel : null,
        Incremental = settings.Incremental with { Type = Type ?? settings.Incremental.Type },
        Verification = settings.Verification with { VerifyAfterBackup = settings.Verification.VerifyAfterBackup && !NoVerify },
        Retention = Rules(settings.Retention),
        Stores = Upload is null ? settings.Stores : [.. settings.Stores, new ObjectStoreSettings(Upload, UploadOptions ?? new StoreOptions()) { Enabled = true, CreateContainer = CreateContainer }],
        ThrottleLimit = ThrottleLimit ?? settings.ThrottleLimit,
    };

    private RetentionRules Rules(RetentionRules rules) => rules with
    {
        KeepDaily = KeepDaily ?? rules.KeepDaily,
        KeepWeekly = KeepWeekly ?? rules.KeepWeekly,
        KeepMonthly = KeepMonthly ?? rules.KeepMonthly,
        KeepWithin = KeepWithin is { } within ? (BackupAge)within : rules.KeepWithin,
    };
}
