using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Retention;
using Xunit;

namespace SignalHarvester.Backup.Tests.Configuration;

/// <summary>The Python tool's settings.yaml is read unchanged, with all the application's own settings in it.</summary>
public sealed class PredecessorFileTests
{
    private const string File = """
        app:
          database_path: "var/app.db"
          fetch:
            max_results: 50
          llm: {provider: "openai", temperature: 0.2}
          cache:
            redis_password: null # Set if Redis requires authentication
            token: "${SECRET_OF_THE_APPLICATION}"
          backup:
            # Database backup configuration
            enabled: true
            backup_dir: "backups" # Directory to store backups
            compression: "gzip" # Compression type: none, gzip, zstd
            retention_days: 60

            schedule:
              daily_enabled: true
              daily_time: "02:30" # UTC
              weekly_enabled: false
              weekly_day: "friday"
              weekly_time: "03:15"
              monthly_enabled: true
              monthly_day: 15
              monthly_time: "04:45"

            retention:
              daily_keep: 14
              weekly_keep: 8
              monthly_keep: 6

            s3:
              enabled: true
              bucket: "signal-backups"
              prefix: "signal-harvester/backups"
              region: "eu-central-1"
              upload_after_backup: false

            gcs:
              enabled: false
              bucket: ""
              prefix: "signal-harvester/backups"

            azure:
              enabled: true
              container: "dumps"
              account_name: "harvest"
              prefix: "signal-harvester/backups"

            verification:
              verify_after_backup: true
              verify_before_restore: false

        queries:
          - name: "brand_support"
            query: "(@YourBrand OR #YourBrand) -is:retweet lang:en"
        """;

    [Fact]
    public void Every_key_of_it_is_understood()
    {
        using var configured = new Configured(File);
        Assert.Empty(configured.Problems());
        var settings = configured.Settings;

        Assert.Equal([new DatabaseSettings(configured["var", "app.db"], configured["backups"])], settings.Databases);
        Assert.Equal(configured["backups"], settings.BackupDirectory);
        Assert.True(settings.Enabled);
        Assert.Equal(CompressionType.Gzip, settings.Compression);
        Assert.Equal(
            new ScheduleSettings
            {
                DailyTime = new(2, 30),
                WeeklyEnabled = false,
                WeeklyDay = DayOfWeek.Friday,
                WeeklyTime = new(
                3, 15),
                MonthlyDay = 15,
                MonthlyTime = new(4, 45)
            },
            settings.Schedule);
        Assert.Equal(new RetentionRules { KeepDaily = 14, KeepWeekly = 8, KeepMonthly = 6, RetentionDays = 60 }, settings.Retention);
        Assert.Equal(new VerificationSettings { VerifyBeforeRestore = false }, settings.Verification);
        Assert.Equal(
            [
                new StoreLocation { Provider = CloudProvider.S3, Container = "signal-backups", Prefix = "signal-harvester/backups/", Region = "eu-central-1" },
                new StoreLocation { Provider = CloudProvider.Azure, Container = "dumps", Prefix = "signal-harvester/backups/", AccountName = "harvest" },
            ],
            settings.Stores.Select(store => store.Location));
        Assert.Equal([(true, false), (true, true)], settings.Stores.Select(store => (store.Enabled, store.UploadAfterBackup)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("app:\n")]
    [InlineData("app:\n  backup:\n")]
    [InlineData("app: {backup: {schedule: ~, retention: null}}")]
    public void What_is_left_out_has_its_default(string text)
    {
        using var configured = new Configured(text);
        Assert.Equal(
            (new ScheduleSettings(), new RetentionRules(), new IncrementalSettings(), new VerificationSettings(), new MetricsSettings()),
            (configured.Settings.Schedule, configured.Settings.Retention, configured.Settings.Incremental, configured.Settings.Verification,
                configured.Settings.Metrics));
        Assert.Equal(
            ("02:00", DayOfWeek.Sunday, "03:00", 1, "04:00", "05:00", 7, 4, 12),
            (ValueText.Of(configured.Settings.Schedule.DailyTime), configured.Settings.Schedule.WeeklyDay,
                ValueText.Of(configured.Settings.Schedule.WeeklyTime), configured.Settings.Schedule.MonthlyDay,
                ValueText.Of(configured.Settings.Schedule.MonthlyTime), ValueText.Of(configured.Settings.Schedule.RetentionTime),
                configured.Settings.Retention.KeepDaily, configured.Settings.Retention.KeepWeekly, configured.Settings.Retention.KeepMonthly));
        Assert.Empty(configured.Settings.Stores);
        Assert.Empty(configured.Settings.Databases);
        Assert.All(configured.Read.Effective, setting => Assert.Equal(ConfigurationSource.Default, setting.Source));
    }

    [Theory]
    [InlineData("config/settings.yaml", "")]
    [InlineData("Config/other.yml", "")]
    [InlineData("etc/settings.yaml", "etc")]
    [InlineData("settings.yaml", "")]
    public void Relative_paths_are_relative_to_the_folder_above_config_else_to_the_file_s(string file, string folder)
    {
        using var configured = new Configured("app: {database_path: var/app.db}", file: file);
        Assert.Equal(configured[folder, "var", "app.db"], configured.Settings.Databases[0].Path);
        Assert.Equal(configured[folder, "backups"], configured.Settings.BackupDirectory);
    }

    [Fact]
    public void The_database_may_be_an_address_as_SQLAlchemy_has_it()
    {
        using var configured = new Configured("app: {database_path: 'sqlite:///var/app.db'}");
        Assert.Equal(configured["var", "app.db"], configured.Settings.Databases[0].Path);
    }
}
