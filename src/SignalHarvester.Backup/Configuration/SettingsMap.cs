using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Configuration;

/// <summary>Every key of the configuration: its name, type, default and limits. docs/CONFIGURATION.md and the sample say the same.</summary>
internal static class SettingsMap
{
    private const string PublicKeyForm = "an age public key, which begins with age1";

    private const int MostPercent = 1000;
    private const int MostIncrements = 1000;
    private const int LargestLevel = 19;
    private const int MostDatabasesAtOnce = 64;
    private const int LeastBandwidth = 1024;

    /// <summary>Reads all settings.</summary>
    /// <param name="reading">The pass, which collects the problems.</param>
    /// <param name="root">The file's content; null for none.</param>
    public static BackupSettings Read(SettingsReading reading, ConfigurationNode? root)
    {
        var app = new SettingsSection(reading, string.Empty, root, isClosed: false).Section("app", isClosed: false);
        var database = app.DatabasePath("database_path");
        var backup = app.Section("backup");
        WarnOfNothing(reading, root, app, backup);

        var enabled = backup.Flag("enabled", true);
        var directory = backup.FilePath("backup_dir", PathNeed.MadeFolder, reading.FullPath("backups"))!;
        var databases = ReadDatabases(backup, database, directory);
        var compression = backup.Choice("compression", CompressionType.Zstd);
        var level = backup.NumberOrNone("compression_level", 1, compression == CompressionType.Gzip ? 9 : LargestLevel);
        var retentionDays = backup.Number("retention_days", 90, 0, int.MaxValue);
        var allowHardLink = backup.Flag("allow_hard_link", false);
        var throttle = backup.Number("throttle_limit", 4, 1, MostDatabasesAtOnce);
        var bandwidth = backup.Bytes("bandwidth_limit", LeastBandwidth);
        return new BackupSettings
        {
            Databases = databases,
            Enabled = enabled,
            BackupDirectory = directory,
            Compression = compression,
            CompressionLevel = level,
            AllowHardLink = allowHardLink,
            ThrottleLimit = throttle,
            BandwidthLimit = bandwidth,
            Incremental = ReadIncremental(backup.Section("incremental")),
            Schedule = ReadSchedule(backup.Section("schedule")),
            Retention = ReadRetention(reading, backup.Section("retention"), retentionDays),
            Verification = ReadVerification(backup.Section("verification")),
            Stores = ReadStores(backup, bandwidth),
            Metrics = ReadMetrics(backup.Section("metrics")),
            DrillAssertions = ReadAssertions(backup.Section("drill")),
            Encryption = ReadEncryption(reading, backup.Section("encryption")),
            Health = ReadHealth(backup.Section("health")),
            Continuous = ReadContinuous(backup.Section("continuous")),
        };
    }

    private static List<DatabaseSettings> ReadDatabases(SettingsSection backup, string? first, string directory)
    {
        var databases = new List<DatabaseSettings>();
        Add(first, null);
        foreach (var (value, map) in backup.Items("databases", Path.PathSeparator, isMap: true))
        {
            if (map is null)
            {
                var path = backup.DatabasePath(value!);
                backup.Add(value!, path ?? value!.Shown);
                Add(path, null);
                continue;
            }

            var own = map.DatabasePath("path");
            Add(own, map.FilePath("backup_dir", PathNeed.MadeFolder));
            if (own is null)
            {
                map.Require("path", "it names the database");
            }
        }

        return databases;

        // A database that is named twice counts once; a directory of its own is the more precise statement.
        void Add(string? path, string? ownDirectory)
        {
            var known = databases.FindIndex(database => database.Path == path);
            if (path is not null && known < 0)
            {
                databases.Add(new DatabaseSettings(path, ownDirectory ?? directory));
            }
            else if (ownDirectory is not null && path is not null)
            {
                databases[known] = new DatabaseSettings(path, ownDirectory);
            }
        }
    }

    private static IncrementalSettings ReadIncremental(SettingsSection section) => new()
    {
        Type = section.Choice("type", BackupStrategy.Full),
        MaxIncrements = section.Number("max_increments", 30, 1, MostIncrements),
        MaxIncrementShare = section.Number("max_increment_share", 50, 1, MostPercent),
    };

    private static ScheduleSettings ReadSchedule(SettingsSection section) => new()
    {
        HourlyEnabled = section.Flag("hourly_enabled", false),
        HourlyInterval = section.Interval("hourly_interval", TimeSpan.FromHours(1)),
        DailyEnabled = section.Flag("daily_enabled", true),
        DailyTime = section.Time("daily_time", new TimeOnly(2, 0)),
        WeeklyEnabled = section.Flag("weekly_enabled", true),
        WeeklyDay = section.Day("weekly_day", DayOfWeek.Sunday),
        WeeklyTime = section.Time("weekly_time", new TimeOnly(3, 0)),
        MonthlyEnabled = section.Flag("monthly_enabled", true),
        MonthlyDay = section.Number("monthly_day", 1, 1, 31),
        MonthlyTime = section.Time("monthly_time", new TimeOnly(4, 0)),
        RetentionTime = section.Time("retention_time", new TimeOnly(5, 0)),
    };

    private static ContinuousSettings ReadContinuous(SettingsSection section) => new()
    {
        Interval = section.Age("interval", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
        BackupInterval = section.Age("backup_interval", TimeSpan.FromHours(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)),
        AuditInterval = section.Age("audit_interval", TimeSpan.FromDays(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)),
        KeepTransactions = section.Age("keep_transactions", TimeSpan.FromDays(1), TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650)),
        KeepRemote = section.Flag("keep_remote", false),
        Checkpoint = section.Flag("checkpoint", true),
        Store = section.Text("store"),
    };

    private static RetentionRules ReadRetention(SettingsReading reading, SettingsSection section, int retentionDays)
    {
        var rules = new RetentionRules
        {
            KeepDaily = section.Number("daily_keep", 7, 0, int.MaxValue),
            KeepWeekly = section.Number("weekly_keep", 4, 0, int.MaxValue),
            KeepMonthly = section.Number("monthly_keep", 12, 0, int.MaxValue),
            KeepYearly = section.Number("yearly_keep", 0, 0, int.MaxValue),
            KeepLast = section.Number("keep_last", 0, 0, int.MaxValue),
            KeepWithin = section.Age("keep_within"),
            IncludeManual = section.Flag("include_manual", false),
            RetentionDays = retentionDays,
        };
        if (!rules.KeepsAny)
        {
            reading.Report(
                section.Place ?? new ConfigurationNode(1, 1),
                section.KeyOf("daily_keep"),
                "every keep rule is off, so nothing would be kept. Give at least one of daily_keep, weekly_keep, monthly_keep, yearly_keep, keep_last and keep_within a value above zero.",
                allowed: "one rule that keeps something");
        }

        return rules;
    }

    private static List<ObjectStoreSettings> ReadStores(SettingsSection backup, long? bandwidth)
    {
        var stores = new List<ObjectStoreSettings>();
        foreach (var provider in Enum.GetValues<CloudProvider>())
        {
            var name = provider.ToString().ToLowerInvariant();
            Add(ReadStore(name, backup.Section(name), provider, isNamed: false, bandwidth));
        }

        var named = backup.Section("stores");
        foreach (var key in named.Names())
        {
            var name = key.Text ?? string.Empty;
            if (!StoreNames.IsName(name))
            {
                named.Refuse(key, StoreNames.Form);
                continue;
            }

            if (stores.Find(store => StoreNames.AreSame(store.Name, name)) is { } same)
            {
                named.Refuse(key, $"a name that no other store has, in any case; '{same.Name}' exists already");
                continue;
            }

            var section = named.Named(name);
            if ((section.ChoiceOrNone<CloudProvider>("provider") ?? (section.Has("path") ? CloudProvider.Directory : null)) is { } provider)
            {
                Add(ReadStore(name, section, provider, isNamed: true, bandwidth));
            }
            else
            {
                // Which keys it may have depends on that.
                _ = section.Names();
                section.Require("provider", "give s3, gcs or azure; or give path for a folder");
            }
        }

        return stores;

        void Add(ObjectStoreSettings? store)
        {
            if (store is not null)
            {
                stores.Add(store);
            }
        }
    }

    private static ObjectStoreSettings? ReadStore(string storeName, SettingsSection section, CloudProvider provider, bool isNamed, long? bandwidth)
    {
        var enabled = section.Flag("enabled", isNamed);
        var name = provider switch
        {
            CloudProvider.Azure => "container",
            CloudProvider.Directory => "path",
            _ => "bucket",
        };
        var container = provider == CloudProvider.Directory ? section.FilePath(name, PathNeed.Folder) : section.Text(name);
        var prefix = section.Text("prefix");
        var account = provider == CloudProvider.Azure ? section.Text("account_name") : null;
        var region = provider == CloudProvider.S3 ? section.Text("region") : null;
        var upload = section.Flag("upload_after_backup", !isNamed);
        var create = section.Flag("create_container", false);
        var isRemote = provider != CloudProvider.Directory;
        var endpoint = isRemote ? section.Endpoint("endpoint") : null;
        var pathStyle = provider == CloudProvider.S3 && section.Flag("path_style", false);
        var profile = provider == CloudProvider.S3 ? section.Text("profile") : null;
        var options = new StoreOptions
        {
            StorageClass = isRemote ? section.Text("storage_class") : null,
            ServerSideEncryption = provider == CloudProvider.S3 ? section.Word("server_side_encryption", "AES256", "aws:kms") : null,
            EncryptionKey = provider is CloudProvider.S3 or CloudProvider.Gcs ? section.Text("kms_key_id") : null,
            ImmutableFor = isRemote ? section.Age("immutable_for")?.Value : null,
            UseTrailingChecksums = provider == CloudProvider.S3 && section.Flag("trailing_checksums", false),
            BandwidthLimit = (isNamed ? section.Bytes("bandwidth_limit", LeastBandwidth) : null) ?? bandwidth,
        };
        if (container is null)
        {
            if (enabled)
            {
                section.Require(name, "the store is enabled, and this names the place in it. Give it, or set enabled: false");
            }

            return null;
        }

        var location = new StoreLocation
        {
            Provider = provider,
            Container = container,
            Prefix = prefix ?? string.Empty,
            Endpoint = endpoint,
            Region = region,
            UsePathStyle = pathStyle,
            AccountName = account,
            Profile = profile,
        };
        return new ObjectStoreSettings(location, options) { Name = storeName, Enabled = enabled, UploadAfterBackup = upload, CreateContainer = create };
    }

    private static VerificationSettings ReadVerification(SettingsSection section) => new()
    {
        VerifyAfterBackup = section.Flag("verify_after_backup", true),
        VerifyBeforeRestore = section.Flag("verify_before_restore", true),
        Thorough = section.Flag("thorough", false),
    };

    private static EncryptionSettings ReadEncryption(SettingsReading reading, SettingsSection section)
    {
        var recipients = section.Items("recipients", ',', isMap: false).Select(item => item.Value!).ToList();
        foreach (var recipient in recipients)
        {
            section.Add(recipient, recipient.Shown);
            if (X25519Recipient.TryParse(recipient.Text) is null)
            {
                reading.Report(
                    recipient,
                    $"found {SettingsReading.Quote(recipient.Shown)}; allowed is {PublicKeyForm}. A secret key belongs only into the identity_file.",
                    PublicKeyForm);
            }
        }

        if (recipients.Count == 0)
        {
            // Somebody has begun to configure encryption, or a variable has no value. That must not lead to plain backups.
            section.RefuseNothing("recipients", $"found nothing; allowed is {PublicKeyForm}, or several. Give [] for plain backups, or omit the key.");
        }

        return new EncryptionSettings
        {
            Recipients = [.. recipients.Select(recipient => recipient.Text)],
            IdentityFile = section.KeyFilePath("identity_file"),
            RevealContent = section.Flag("reveal_content", false),
        };
    }

    private static MetricsSettings ReadMetrics(SettingsSection section) => new()
    {
        Textfile = section.FilePath("textfile", PathNeed.ParentFolder),
        PushGateway = section.Address("push_gateway"),
        Port = section.NumberOrNone("port", 1, ushort.MaxValue),
    };

    private static HealthSettings ReadHealth(SettingsSection section) => new()
    {
        Rpo = section.Age("rpo", TimeSpan.FromHours(26)),
        Rto = section.Age("rto", TimeSpan.FromHours(4)),
    };

    private static List<DrillAssertion> ReadAssertions(SettingsSection section)
    {
        var assertions = new List<DrillAssertion>();
        foreach (var (value, map) in section.Items("assertions", separator: null, isMap: true))
        {
            var query = map?.Text("query");
            var expect = map?.Text("expect");
            if (query is not null && expect is not null)
            {
                assertions.Add(new DrillAssertion(query, expect));
            }
            else if (map is null)
            {
                section.Refuse(value!, "a map with the keys query and expect");
            }
            else
            {
                map.Require(query is null ? "query" : "expect", "an assertion has both, query and expect");
            }
        }

        return assertions;
    }

    /// <summary>A mistyped app or backup would leave all settings unread, and nobody would notice.</summary>
    private static void WarnOfNothing(SettingsReading reading, ConfigurationNode? root, SettingsSection app, SettingsSection backup)
    {
        if (root is not { Entries: { } sections } || backup.Place is not null)
        {
            return;
        }

        string[] wanted = app.Place is null ? ["app", "backup", "database_path"] : ["backup"];
        var meant = (app.Place?.Entries ?? sections)
            .Select(entry => entry.Key)
            .FirstOrDefault(key => NearestName.Of(key.Text ?? string.Empty, wanted) is not null);
        if (meant is not null || app.Place is null)
        {
            reading.Report(
                meant ?? root,
                meant?.Text,
                $"the file has no app.backup, so the defaults apply.{(meant is null ? string.Empty : " Is this it, mistyped or in the wrong place?")}",
                meant?.Text,
                "app.backup",
                ConfigurationSeverity.Warning);
        }
    }
}
