using SignalHarvester.Backup.Configuration;
using Xunit;

namespace SignalHarvester.Backup.Tests.Configuration;

/// <summary>All problems are reported at once, each with its place, the value found and the allowed values, and without a secret.</summary>
public sealed class ConfigurationProblemTests
{
    private const string Recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

    [Fact]
    public void All_problems_are_reported_in_the_order_of_the_file()
    {
        using var configured = Configured.Backup("""
            enabled: maybe
            compresion: zstd
            compression: lzma
            schedule:
              daily_time: "25:00"
              weekly_day: someday
              daily_keep: 3
            s3:
              enabled: true
            """);
        Assert.Equal(
            [
                "F:3:14: app.backup.enabled: found 'maybe'; allowed is true or false.",
                "F:4:5: app.backup.compresion: there is no such key. Did you mean 'compression'?",
                "F:5:18: app.backup.compression: found 'lzma'; allowed is none, gzip or zstd.",
                "F:7:19: app.backup.schedule.daily_time: found '25:00'; allowed is a time of day in UTC, from 00:00 to 23:59.",
                "F:8:19: app.backup.schedule.weekly_day: found 'someday'; allowed is sunday, monday, tuesday, wednesday, thursday, friday or saturday.",
                "F:9:7: app.backup.schedule.daily_keep: there is no such key. Did you mean 'app.backup.retention.daily_keep'?",
                "F:11:7: app.backup.s3.bucket: is missing: the store is enabled, and this names the place in it. Give it, or set enabled: false.",
            ],
            configured.Problems());
        var fault = Assert.Throws<BackupException>(configured.Read.Require);
        Assert.Equal(BackupErrorId.ConfigurationInvalid, fault.ErrorId);
        Assert.All(configured.Read.Problems, problem => Assert.Contains(problem.ToString(), fault.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("retention_days: -1", "found '-1'; allowed is a whole number from 0 to 2147483647.")]
    [InlineData("retention_days: 7.5", "found '7.5'; allowed is a whole number from 0 to 2147483647.")]
    [InlineData("retention_days: [1]", "found a list; allowed is a single value.")]
    [InlineData("schedule: daily", "found a text; allowed is a map of keys.")]
    [InlineData("schedule: [a]", "found a list; allowed is a map of keys.")]
    [InlineData("schedule: {monthly_day: 32}", "found '32'; allowed is a whole number from 1 to 31.")]
    [InlineData("schedule: {hourly_interval: 30s}", "found '30s'; allowed is a number of hours")]
    [InlineData("schedule: {hourly_interval: 25}", "found '25'; allowed is a number of hours")]
    [InlineData("retention: {keep_within: 30}", "found '30'; allowed is a number with a unit")]
    [InlineData("bandwidth_limit: 5 parsecs", "found '5 parsecs'; allowed is a number of bytes")]
    [InlineData("bandwidth_limit: 100", "found '100'; allowed is a number of bytes")]
    [InlineData("bandwidth_limit: 999999999999999TB", "allowed is a number of bytes")]
    [InlineData("compression: gzip\ncompression_level: 12", "found '12'; allowed is a whole number from 1 to 9.")]
    [InlineData("metrics: {port: 0}", "found '0'; allowed is a whole number from 1 to 65535.")]
    [InlineData("metrics: {push_gateway: gateway}", "found 'gateway'; allowed is an address that begins with http:// or https://.")]
    [InlineData("s3: {server_side_encryption: rot13}", "found 'rot13'; allowed is AES256 or aws:kms.")]
    [InlineData("gcs: {location: eu}", "there is no such key; allowed are enabled, bucket, prefix, upload_after_backup")]
    [InlineData("backup_dir: ~/b", "found '~/b'; allowed is a path without '~'")]
    [InlineData("backup_dir: \"a\\0b\"", "found 'a?b'; allowed is the path of a folder or file.")]
    [InlineData("databases: [{backup_dir: b}]", "is missing: it names the database.")]
    [InlineData("databases: [[a.db]]", "found a list; allowed is a single value.")]
    [InlineData("drill: {assertions: [SELECT 1]}", "found 'SELECT 1'; allowed is a map with the keys query and expect.")]
    [InlineData("drill: {assertions: [{query: SELECT 1}]}", "is missing: an assertion has both")]
    [InlineData("retention: {daily_keep: 0, weekly_keep: 0, monthly_keep: 0}", "every keep rule is off")]
    [InlineData("enabled: true\nenabled: false", "is given twice; the first is in line 3. Remove one.")]
    [InlineData("? [a]\n: b", "there is no such key")]
    [InlineData("<<: 5", "there is no such key")]
    [InlineData("<<: [{enabled: true}, 5]", "there is no such key")]
    [InlineData("BACKUP-DIR: b", "Did you mean 'backup_dir'?")]
    [InlineData("zzz: b", "there is no such key; allowed are enabled, backup_dir")]
    public void A_value_that_is_not_allowed_is_one_problem(string text, string said)
    {
        using var configured = Configured.Backup(text);
        Assert.Contains(said, Assert.Single(configured.Problems()), StringComparison.Ordinal);
        var problem = configured.Read.Problems[0];
        Assert.Equal(ConfigurationSeverity.Error, problem.Severity);
        Assert.True(problem is { Line: > 2, Column: > 4, Allowed.Length: > 0 }, problem.ToString());
        Assert.StartsWith("app.backup.", problem.Key, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("interval: 500ms", "from 1s to 1h")]
    [InlineData("interval: 61m", "from 1s to 1h")]
    [InlineData("backup_interval: 59s", "from 1m to 168h")]
    [InlineData("audit_interval: 366d", "from 1m to 8760h")]
    [InlineData("keep_transactions: 1s", "from 1m to 87600h")]
    [InlineData("keep_remote: perhaps", "true or false")]
    [InlineData("checkpoint: passive", "true or false")]
    [InlineData("store: [nas]", "a single value")]
    [InlineData("intervall: 1s", "Did you mean 'interval'?")]
    public void A_value_that_continuous_protection_does_not_take_is_refused_with_its_key(string text, string said)
    {
        using var configured = Configured.Backup($"continuous: {{{text}}}");
        Assert.Contains($": app.backup.continuous.{text.Split(':')[0]}: ", Assert.Single(configured.Problems()), StringComparison.Ordinal);
        Assert.Contains(said, configured.Problems()[0], StringComparison.Ordinal);
        Assert.Equal(BackupErrorId.ConfigurationInvalid, Assert.Throws<BackupException>(configured.Read.Require).ErrorId);
    }

    [Theory]
    [InlineData("app:\n  backup:\n    a: [1\n", 4, "did not find expected")]
    [InlineData("app:\n  backup: 'open\n", 2, "unexpected end")]
    [InlineData("app: *nowhere\n", 1, "anchor")]
    [InlineData("a: 1\n---\nb: 2\n", 2, "second document")]
    [InlineData("[1, 2]", 1, "a map of keys")]
    [InlineData("app: [1, 2]", 1, "a map of keys")]
    public void What_is_no_map_in_YAML_is_said_with_its_line(string text, int line, string said)
    {
        using var configured = new Configured(text);
        Assert.Contains(
            said, Assert.Single(configured.Problems(), problem => !problem.Contains("defaults apply", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(line, configured.Read.Problems.First(problem => problem.Severity == ConfigurationSeverity.Error).Line);
    }

    [Fact]
    public void Nesting_without_an_end_and_bytes_that_are_no_text_are_refused()
    {
        using var deep = new Configured("a: " + new string('[', 100_000));
        Assert.Contains("nested too deeply", Assert.Single(deep.Problems()), StringComparison.Ordinal);
        using var folder = new TestSupport.TempFolder();
        File.WriteAllBytes(folder["s.yaml"], [0x61, 0x3a, 0x20, 0xff, 0xfe]);
        Assert.Contains(
            "not in UTF-8", Assert.Single(BackupConfiguration.Read(
                folder["s.yaml"], folder.Path, new EnvironmentVariables(new Dictionary<string, string>()), TestContext.Current.CancellationToken).Problems)
                .Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_a_million_letters_costs_little_to_refuse()
    {
        using var configured = Configured.Backup($"? {new string('k', 1_000_000)}\n: 1");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("there is no such key", Assert.Single(configured.Problems()), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000_000);
    }

    [Fact]
    public void A_problem_of_the_environment_names_the_variable()
    {
        using var configured = Configured.Backup("compression: gzip", new() { ["SHBACKUP_COMPRESSION"] = "lzma" });
        Assert.Equal(["SHBACKUP_COMPRESSION: app.backup.compression: found 'lzma'; allowed is none, gzip or zstd."], configured.Problems());
    }

    [Theory]
    [InlineData("${MISSING}/x", "'MISSING' that it names is not set")]
    [InlineData("${EMPTY}", "'EMPTY' that it names is not set")]
    [InlineData("${not a name}", "must be followed by the name")]
    [InlineData("${open", "must be followed by the name")]
    public void A_variable_that_is_not_there_is_named(string value, string said)
    {
        using var configured = Configured.Backup($"backup_dir: '{value}'", new() { ["EMPTY"] = "" });
        Assert.Contains(said, Assert.Single(configured.Problems()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3: {endpoint: 'https://u:hidden@x'}")]
    [InlineData("s3: {endpoint: '${E}'}")]
    [InlineData("metrics: {push_gateway: 'ftp://u:hidden@x'}")]
    [InlineData("compression: '${E}'")]
    [InlineData("encryption: {recipients: [AGE-SECRET-KEY-1HIDDEN]}")]
    [InlineData("encryption: {identity_file: AGE-SECRET-KEY-1HIDDEN}")]
    [InlineData("encryption: {identity_file: '${K}'}")]
    [InlineData("databases: ['postgresql://u:hidden@h/db']")]
    [InlineData("databases: [{path: 'postgresql://u:hidden@h/db'}]")]
    public void No_problem_shows_a_secret(string text)
    {
        using var configured = Configured.Backup(text, new() { ["E"] = "https://u:hidden@x", ["K"] = "age-secret-key-1hidden" });
        Assert.NotEmpty(configured.Problems());
        var all = string.Join('\n', configured.Read.Problems.Select(problem => $"{problem} {problem.Found} {problem.Allowed}").Concat(
            configured.Read.Effective.Select(setting => setting.ToString())));
        Assert.DoesNotContain("hidden", all, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("encryption: {recipients: null}", "", false)]
    [InlineData("encryption:\n  recipients:\n#    - age1", "", false)]
    [InlineData("encryption: {}", ", ,", false)]
    [InlineData("encryption: {recipients: []}", "", true)]
    [InlineData("encryption: {identity_file: key.txt}", "", true)]
    public void Recipients_that_come_to_nothing_are_no_reason_for_plain_backups(string text, string variable, bool isAllowed)
    {
        using var configured = Configured.Backup(text, new() { ["SHBACKUP_ENCRYPTION_RECIPIENTS"] = variable });
        if (isAllowed)
        {
            Assert.Null(configured.Settings.Encryption.ToEncryption());
            return;
        }

        Assert.Contains("found nothing; allowed is an age public key", Assert.Single(configured.Problems()), StringComparison.Ordinal);
        Assert.Throws<BackupException>(configured.Read.Require);
    }

    [Fact]
    public void A_recipient_is_checked_to_its_last_letter()
    {
        using var configured = Configured.Backup($"encryption: {{recipients: [{Recipient}]}}");
        Assert.Empty(configured.Problems());
        Assert.Equal([Recipient], configured.Settings.Encryption.ToEncryption()!.PublicKeys);
        using var mistyped = Configured.Backup($"encryption: {{recipients: [{Recipient[..^1]}q]}}");
        Assert.Contains("allowed is an age public key", Assert.Single(mistyped.Problems()), StringComparison.Ordinal);
        Assert.Throws<BackupException>(mistyped.Read.Require);
        using var wrong = Configured.Backup("encryption: {recipients: [age1short]}");
        Assert.Contains("found 'age1short'; allowed is an age public key", Assert.Single(wrong.Problems()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ap:\n  backup: {}\n", "ap")]
    [InlineData("app:\n  bakcup: {}\n", "bakcup")]
    [InlineData("backup: {}\n", "backup")]
    public void A_mistyped_section_is_a_warning_because_it_may_be_the_application_s(string text, string key)
    {
        using var configured = new Configured(text);
        Assert.Contains("Is this it, mistyped", Assert.Single(configured.Problems()), StringComparison.Ordinal);
        Assert.Equal((key, ConfigurationSeverity.Warning), (configured.Read.Problems[0].Key, configured.Read.Problems[0].Severity));
        Assert.Empty(configured.Settings.Stores);
    }

    [Fact]
    public void A_mistyped_variable_is_a_warning_and_the_tests_own_are_none()
    {
        using var configured = Configured.Backup("enabled: true", new()
        {
            ["SHBACKUP_BACKUPDIR"] = "x",
            ["SHBACKUP_COMPRESION"] = "",
            ["SHBACKUP_MODULE_PATH"] = "m",
            ["SHBACKUP_TEST_ASSETS"] = "a",
            ["SHBACKUP_CONFIG"] = "c",
        });
        Assert.Equal(["SHBACKUP_BACKUPDIR: the environment variable overrides no setting. Did you mean 'SHBACKUP_BACKUP_DIR'?"], configured.Problems());
        _ = configured.Settings;
    }

    [Fact]
    public void Paths_that_are_not_there_are_warnings()
    {
        using var configured = new Configured("""
            app:
              database_path: var/app.db
              backup:
                directory: {path: nas}
                metrics: {textfile: nowhere/s.prom}
            """);
        Assert.Equal(
            [("app.database_path", 2), ("app.backup.directory.path", 4), ("app.backup.metrics.textfile", 5)],
            configured.Read.MissingPaths().Select(problem => (problem.Key, problem.Line)));
        Directory.CreateDirectory(configured["var"]);
        File.WriteAllText(configured["var", "app.db"], "");
        Directory.CreateDirectory(configured["nas"]);
        Directory.CreateDirectory(configured["nowhere"]);
        Assert.Empty(configured.Read.MissingPaths());
    }
}
