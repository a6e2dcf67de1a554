using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Scheduling;
using Xunit;

namespace SignalHarvester.Backup.Tests.Configuration;

/// <summary>The settings have the values of the file or of the environment.</summary>
public sealed class SettingsTests
{
    [Fact]
    public void The_keys_that_the_predecessor_does_not_have()
    {
        using var configured = Configured.Backup("""
            compression_level: 9
            throttle_limit: 2
            bandwidth_limit: 5MB
            incremental: {type: auto, max_increments: 10, max_increment_share: 80}
            schedule: {hourly_enabled: yes, hourly_interval: 30m, retention_time: "6:05"}
            retention: {yearly_keep: 3, keep_last: 5, keep_within: 2d, include_manual: on}
            s3:
              bucket: b
              endpoint: https://s3.example.org
              path_style: true
              profile: p
              storage_class: STANDARD_IA
              server_side_encryption: AWS:KMS
              kms_key_id: k
              immutable_for: 30d
              trailing_checksums: true
              create_container: true
            directory: {enabled: true, path: offsite/, prefix: m1}
            metrics: {textfile: m/s.prom, push_gateway: "http://u:p@gw:9091", port: 9464}
            drill: {assertions: [{query: SELECT 1, expect: 1}]}
            encryption: {identity_file: id.txt}
            """);
        var settings = configured.Settings;
        Assert.Equal((9, 2, 5L << 20), (settings.CompressionLevel, settings.ThrottleLimit, settings.BandwidthLimit));
        Assert.Equal(new IncrementalSettings { Type = BackupStrategy.Auto, MaxIncrements = 10, MaxIncrementShare = 80 }, settings.Incremental);
        Assert.Equal(
            (true, TimeSpan.FromMinutes(30), new TimeOnly(6, 5)),
            (settings.Schedule.HourlyEnabled, settings.Schedule.HourlyInterval, settings.Schedule.RetentionTime));
        Assert.Equal(
            (3, 5, 2.0, true),
            (settings.Retention.KeepYearly, settings.Retention.KeepLast, settings.Retention.KeepWithin!.TotalDays, settings.Retention.IncludeManual));
        Assert.Equal(
            new StoreLocation { Provider = CloudProvider.S3, Container = "b", Endpoint = new("https://s3.example.org"), UsePathStyle = true, Profile = "p" },
            settings.Stores[0].Location);
        Assert.Equal(
            new StoreOptions
            {
                StorageClass = "STANDARD_IA",
                ServerSideEncryption = "aws:kms",
                EncryptionKey = "k",
                ImmutableFor = TimeSpan.FromDays(30),
                UseTrailingChecksums = true,
                BandwidthLimit = 5 << 20,
            },
            settings.Stores[0].Options);
        Assert.Equal((false, true), (settings.Stores[0].Enabled, settings.Stores[0].CreateContainer));
        Assert.Equal(
            (CloudProvider.Directory, configured["offsite"], true),
            (settings.Stores[1].Location.Provider, settings.Stores[1].Location.Container, settings.Stores[1].Enabled));
        Assert.Equal(new MetricsSettings { Textfile = configured["m", "s.prom"], PushGateway = new("http://u:p@gw:9091"), Port = 9464 }, settings.Metrics);
        Assert.DoesNotContain("u:p", settings.ToString(), StringComparison.Ordinal);
        Assert.Equal([new DrillAssertion("SELECT 1", "1")], settings.DrillAssertions);
        Assert.Equal(configured["id.txt"], settings.Encryption.IdentityFile);
    }

    [Fact]
    public void Each_key_of_continuous_protection_reaches_it_unless_a_parameter_stands_above_it()
    {
        using var configured = Configured.Backup("""
            stores: {nas: {path: offsite}}
            continuous:
              interval: 5s
              backup_interval: 30m
              audit_interval: 12h
              keep_transactions: 7d
              keep_remote: true
              checkpoint: false
              store: nas
            """);
        var settings = configured.Settings.Continuous;
        Assert.Equal("nas", settings.Store);
        Assert.Equal(
            new ProtectionOptions
            {
                Interval = TimeSpan.FromSeconds(5),
                BackupInterval = TimeSpan.FromMinutes(30),
                AuditInterval = TimeSpan.FromHours(12),
                KeepTransactions = TimeSpan.FromDays(7),
                KeepsSegments = true,
                Checkpoints = false,
            },
            ProtectionOptions.Of(settings));
        Assert.Equal(settings, new ContinuousJob().Over(settings));

        var defaults = new ProtectionOptions();
        var parameters = new ContinuousJob
        {
            Interval = defaults.Interval,
            BackupInterval = defaults.BackupInterval,
            AuditInterval = defaults.AuditInterval,
            KeepTransactions = defaults.KeepTransactions,
            KeepRemote = defaults.KeepsSegments,
            Checkpoint = defaults.Checkpoints,
        };
        Assert.Equal(defaults, ProtectionOptions.Of(parameters.Over(settings)));
    }

    [Fact]
    public void Several_databases_each_once_and_each_with_its_directory()
    {
        using var configured = new Configured("""
            app:
              database_path: var/app.db
              backup:
                backup_dir: common
                databases:
                  - var/queue.db
                  - path: var/archive.db
                    backup_dir: own
                  - {path: ./var/app.db, backup_dir: other}
                  - var/../var/queue.db
            """);
        string[] Paths(params string[] names) => [.. names.Select(name => configured[name])];
        Assert.Equal(
            [
                new(configured["var", "app.db"], configured["other"]),
                new(configured["var", "queue.db"], configured["common"]),
                new(configured["var", "archive.db"], configured["own"]),
            ],
            configured.Settings.Databases);
        Assert.Equal(Paths("common", "other", "own"), configured.Settings.BackupDirectories);
        Assert.Equal(configured["own"], configured.Settings.BackupDirectoryOf(configured["var", "archive.db"]));
        Assert.Equal(configured["common"], configured.Settings.BackupDirectoryOf(configured["elsewhere.db"]));
    }

    [Fact]
    public void The_environment_stands_above_the_file_and_an_empty_variable_is_none()
    {
        using var configured = new Configured(
            "app: {database_path: a.db, backup: {compression: gzip, retention_days: oops, schedule: {daily_time: '01:00'}}}",
            new()
            {
                ["SHBACKUP_DATABASE_PATH"] = "b.db",
                ["SHBACKUP_RETENTION_DAYS"] = "5",
                ["SHBACKUP_S3_BUCKET"] = "from-the-environment",
                ["SHBACKUP_SCHEDULE_DAILY_TIME"] = "23:59",
                ["SHBACKUP_COMPRESSION"] = "",
                ["SHBACKUP_DATABASES"] = $"c.db{Path.PathSeparator}d.db",
            });
        var settings = configured.Settings;
        Assert.Equal(["b.db", "c.db", "d.db"], settings.Databases.Select(database => Path.GetFileName(database.Path)));
        Assert.Equal(
            (CompressionType.Gzip, 5, "from-the-environment", new TimeOnly(23, 59)),
            (settings.Compression, settings.Retention.RetentionDays, settings.Stores[0].Location.Container, settings.Schedule.DailyTime));
        var shown = configured.Read.Effective.ToDictionary(setting => setting.Key);
        Assert.Equal(
            (ConfigurationSource.File, 1, "gzip"),
            (shown["app.backup.compression"].Source, shown["app.backup.compression"].Line, shown["app.backup.compression"].Value));
        Assert.Equal(
            (ConfigurationSource.Environment, null, "5"),
            (shown["app.backup.retention_days"].Source, shown["app.backup.retention_days"].Line, shown["app.backup.retention_days"].Value));
        Assert.Equal((ConfigurationSource.Default, "03:00"), (shown["app.backup.schedule.weekly_time"].Source, shown["app.backup.schedule.weekly_time"].Value));
    }

    [Fact]
    public void The_environment_works_without_a_file()
    {
        var read = BackupConfiguration.Read(
            null, Path.GetTempPath(), new EnvironmentVariables(new Dictionary<string, string> { ["SHBACKUP_BACKUP_DIR"] = "elsewhere" }),
            TestContext.Current.CancellationToken);
        Assert.Equal(Path.Combine(Path.GetTempPath(), "elsewhere"), read.Require().BackupDirectory);
    }

    [Fact]
    public void Variables_are_put_in_where_they_are_named_and_are_never_shown()
    {
        using var configured = Configured.Backup(
            "backup_dir: '${PLACE}/b'\nmetrics: {push_gateway: 'https://${GW}@gw'}\ns3: {bucket: '$${PLACE}', prefix: '$5', region: '${A}${B}'}",
            new() { ["PLACE"] = "/hidden-place", ["GW"] = "user:hidden-word", ["A"] = "eu", ["B"] = "-1: {x}" });
        var settings = configured.Settings;
        Assert.Equal(Path.GetFullPath("/hidden-place/b"), settings.BackupDirectory);
        Assert.Equal("user:hidden-word", settings.Metrics.PushGateway!.UserInfo);
        Assert.Equal(
            ("${PLACE}", "$5/", "eu-1: {x}"), (settings.Stores[0].Location.Container, settings.Stores[0].Location.Prefix, settings.Stores[0].Location.Region));
        var shown = configured.Read.Effective.ToDictionary(setting => setting.Key, setting => setting.Value);
        Assert.Equal("${PLACE}/b", shown["app.backup.backup_dir"]);
        Assert.Equal("********", shown["app.backup.metrics.push_gateway"]);
        Assert.DoesNotContain(shown.Values, value => value?.Contains("hidden", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void Anchors_and_merge_keys_are_followed()
    {
        using var configured = new Configured("""
            x: &times {daily_time: "01:00", weekly_time: "01:30"}
            app:
              backup:
                schedule:
                  <<: *times
                  weekly_time: "02:30"
            """);
        Assert.Equal((new TimeOnly(1, 0), new TimeOnly(2, 30)), (configured.Settings.Schedule.DailyTime, configured.Settings.Schedule.WeeklyTime));
    }

    [Theory]
    [InlineData("1", 60)]
    [InlineData("6h", 360)]
    [InlineData("1m", 1)]
    [InlineData("1d", 1440)]
    public void An_interval_is_hours_or_has_a_unit(string text, int minutes)
    {
        using var configured = Configured.Backup($"schedule: {{hourly_interval: {text}}}");
        Assert.Equal(minutes, configured.Settings.Schedule.HourlyInterval.TotalMinutes);
    }

    [Theory]
    [InlineData("2048", 2048)]
    [InlineData("1.5 KB", 1536)]
    [InlineData("5MB", 5 << 20)]
    [InlineData("1gib", 1 << 30)]
    public void A_size_has_binary_units(string text, long bytes)
    {
        using var configured = Configured.Backup($"bandwidth_limit: {text}");
        Assert.Equal(bytes, configured.Settings.BandwidthLimit);
    }
}
