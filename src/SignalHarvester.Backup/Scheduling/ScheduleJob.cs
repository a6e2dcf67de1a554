using System.Globalization;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>
/// The job of a schedule. A null value comes from the settings file at the time of the run, or else from the cmdlets'
/// defaults. It contains no secret: credentials come from the platform's own chain each time.
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

    /// <summary>The compression of backups.</summary>
    public CompressionType? Compression { get; init; }

    /// <summary>The retention policy of the backups; null for manual ones.</summary>
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

    /// <summary>
    /// The stores for the backups, in place of those of the settings file: names in it, addresses, or folders' full paths. Empty for those of
    /// the settings file.
    /// </summary>
    public IReadOnlyList<string> Targets
    {
        get;
        // The files of earlier versions have none, which the reader takes for null.
        init => field = value ?? [];
    } = [];

    /// <summary>The object store for the backups, besides those of the settings file.</summary>
    public StoreLocation? Upload { get; init; }

    /// <summary>The options of that store.</summary>
    public StoreOptions? UploadOptions { get; init; }

    /// <summary>Whether a missing bucket, container or folder is created.</summary>
    public bool CreateContainer { get; init; }

    /// <summary>The number of databases to work on at once.</summary>
    public int? ThrottleLimit { get; init; }

    /// <summary>The share of all stored bytes that a scrub reads, in percent, 1 to 100; null for all.</summary>
    public int? ScrubPercent { get; init; }

    /// <summary>The time after which a scrub starts no further file; null for none.</summary>
    public TimeSpan? ScrubBudget { get; init; }

    /// <summary>How databases are protected continuously; null for the other actions.</summary>
    public ContinuousJob? Continuous { get; init; }

    /// <summary>The job in words, for people who look at it before it is registered.</summary>
    public override string ToString()
    {
        var databases = Databases.Count > 0 ? string.Join(", ", Databases.Select(path => $"'{path}'")) : "the databases of the settings";
        var directory = BackupDirectory is { } path ? $"'{path}'" : "the configured directory";
        var elsewhere = string.Concat(Targets.Append(Upload?.ToString()).OfType<string>().Select(place => $" and {place}"));
        return Action switch
        {
            ScheduleAction.Drill => $"restores the newest backup of {(Databases.Count > 0 ? databases : "each database")} in {directory} as a test",
            ScheduleAction.Scrub => $"reads the stored files in {directory} again",
            ScheduleAction.Retention => $"applies the retention rules to {directory}",
            ScheduleAction.Protect => $"protects {databases} continuously, to {directory}{(elsewhere.Length == 0 ? " and the configured store" : elsewhere)}",
            _ => $"backs up {databases} to {directory}{elsewhere}{(Prune ? ", and applies the retention rules" : string.Empty)}",
        };
    }

    /// <summary>The settings of a run: those of the file, overridden by those of the schedule.</summary>
    internal BackupSettings Over(BackupSettings settings) => settings with
    {
        Databases = Databases.Count == 0 ? settings.Databases : [],
        BackupDirectory = BackupDirectory ?? settings.BackupDirectory,
        Compression = Compression ?? settings.Compression,
        CompressionLevel = Compression is null ? settings.CompressionLevel : null,
        Incremental = settings.Incremental with { Type = Type ?? settings.Incremental.Type },
        Verification = settings.Verification with { VerifyAfterBackup = settings.Verification.VerifyAfterBackup && !NoVerify },
        Retention = Rules(settings.Retention),
        Stores = Targets.Count > 0
            ? [.. Targets.Except(LostTargets(settings)).Select(target => StoreNames.Find(target, settings, Path.GetFullPath)).Select(Wanted)]
            : Upload is null ? settings.Stores
            : [.. settings.Stores, new ObjectStoreSettings(Upload, UploadOptions ?? new StoreOptions()) { Enabled = true, CreateContainer = CreateContainer }],
        ThrottleLimit = ThrottleLimit ?? settings.ThrottleLimit,
        Continuous = Continuous?.Over(settings.Continuous) ?? settings.Continuous,
    };

    /// <summary>The one store of continuous protection.</summary>
    /// <param name="settings">The settings of the run: <see cref="Over"/>.</param>
    /// <exception cref="BackupException">InvalidArgument: there is none, or several.</exception>
    internal ObjectStoreSettings StreamStore(BackupSettings settings)
    {
        var candidates = Upload is not null ? [settings.Stores[^1]]
            : Targets.Count > 0 ? settings.Stores
            : settings.Continuous.Store is { } name ? [StoreNames.Find(name, settings, Path.GetFullPath)]
            : settings.Stores.Where(store => store.Enabled).ToList();
        return candidates is [var only] ? only : throw BackupException.InvalidArgument(
            "store",
            $"Transactions go to one store, and {candidates.Count.ToString(CultureInfo.InvariantCulture)} are enabled in the configuration. Name it with app.backup.continuous.store, or register the schedule again with -To.");
    }

    /// <summary>The targets whose names have no store in the settings any more: for the rest of the run they are failed uploads.</summary>
    internal IEnumerable<string> LostTargets(BackupSettings settings) =>
        Targets.Where(target => StoreNames.IsName(target) && !settings.Stores.Any(store => StoreNames.AreSame(store.Name, target)));

    private ObjectStoreSettings Wanted(ObjectStoreSettings store) =>
        store with { Enabled = true, UploadAfterBackup = true, CreateContainer = store.CreateContainer || CreateContainer };

    private RetentionRules Rules(RetentionRules rules) => rules with
    {
        KeepDaily = KeepDaily ?? rules.KeepDaily,
        KeepWeekly = KeepWeekly ?? rules.KeepWeekly,
        KeepMonthly = KeepMonthly ?? rules.KeepMonthly,
        KeepWithin = KeepWithin is { } within ? (BackupAge)within : rules.KeepWithin,
    };
}
