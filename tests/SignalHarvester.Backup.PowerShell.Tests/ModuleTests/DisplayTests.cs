using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Xml.Linq;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>The view of a backup, and the object after a job or a file.</summary>
public class DisplayTests
{
    private const string RoundTrip =
        "$input | ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    /// <summary>The age changes while the test runs.</summary>
    private static readonly JsonSerializerOptions WithoutAge = new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver
        {
            Modifiers = { type => type.Properties.Where(p => p.PropertyType == typeof(BackupAge)).ToList().ForEach(p => type.Properties.Remove(p)) },
        },
    };

    private static BackupMetadata Sample(Action<Dictionary<string, object?>>? metadata = null)
    {
        var map = new Dictionary<string, object?>();
        metadata?.Invoke(map);
        return new BackupMetadata
        {
            Id = "backup_20261122_020000_123456",
            BackupPath = "/srv/backups/backup_20261122_020000_123456_full.db.zst",
            BackupDirectory = "/srv/backups",
            DatabasePath = @"C:\data\app.db",
            Timestamp = DateTimeOffset.UtcNow.AddDays(-3).AddHours(-4).AddMinutes(-1),
            Compression = CompressionType.Zstd,
            Size = 128974848,
            DatabaseSize = 1073741824,
            Verified = true,
            VerificationLevel = VerificationLevel.Full,
            VerificationTimestamp = DateTimeOffset.UtcNow,
            Verification = [new("Integrity", true, "ok"), new("RowCounts", false, "app: 1 row of 2")],
            RetentionPolicy = RetentionPolicy.Daily,
            Metadata = map,
        };
    }

    [Theory]
    [InlineData(80)]
    [InlineData(81)]
    [InlineData(100)]
    [InlineData(120)]
    public void The_table_shows_a_backup_on_one_line_of_any_screen(int width)
    {
        using var session = SessionOf(width);
        var lines = session.Render("$input", Sample()).Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.True(line.Length <= width, line));
        Assert.Equal(["Id", "Type", "Age", "Size", "Verified", "Copies", "Database"], Words(lines[0]));
        Assert.Equal(["backup_20261122_020000_123456", "Full", "3d", "4h", "123.0", "MiB", "Full", "0", "app.db"], Words(lines[2]));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(120)]
    public void The_widest_values_fit_their_columns(int width)
    {
        using var session = SessionOf(width);
        var shown = session.Render("$input", Sample() with
        {
            Type = BackupType.Incremental,
            ParentId = "backup_20261121_020000_123456",
            Timestamp = DateTimeOffset.UtcNow.AddDays(-99).AddHours(-23).AddMinutes(-30),
            Size = 1023 * 1024 - 1,
            Copies = [.. Enumerable.Repeat(new BackupCopy { Provider = CloudProvider.S3, Url = "s3://b/x", Container = "b" }, 12)],
            DatabasePath = "/srv/a.db",
            IsSafety = true,
        });
        Assert.Matches(@"(?m)^backup_20261122_020000_123456 Incr 99d 23h +1023 KiB BROKEN +12 a\.db \(saf", shown);
    }

    /// <summary>The views that have too much for a screen of 80, and what they must keep there.</summary>
    public static TheoryData<string, string> Essentials => new()
    {
        { "history", @"(?m)^2026-11-22 02:00:00 Create +Failed +1\.00 s BackupChecksumMismatch" },
        { "retention", @"(?m)^Remove +3d 4h app\.db +backup_20261122_020000_123456 too old" },
        { "schedule", @"(?m)^nightly +Registered 2026-11-23 02:00 Failed +There is no database" },
        { "waiting schedule", @"(?m)^nightly +Registered 2026-11-23 02:00 +daily at 02:00 UTC" },
        { "drill", @"(?m)^backup_20261122_020000_123456 NO +0\.50 s app\.db +it is damaged" },
        { "health", @"(?ms)^Status +Database +NewestVerified \(UTC\) +Checks.*^Warning +srv/app\.db +2026-11-22 02:00 +Copies" },
        { "rows", @"(?m)^customer +5 +0 customer +/srv/app\.db" },
        { "difference", @"(?m)^customer +table +Changed +5 +0 +0 +No key" },
        { "scrub", @"(?m)^backup_20261122_020000_123456 Damaged +1\.0 KiB +its file" },
    };

    [Theory]
    [MemberData(nameof(Essentials))]
    public void Every_table_keeps_its_point_on_a_screen(string view, string shown)
    {
        var moment = new DateTimeOffset(2026, 11, 22, 2, 0, 0, TimeSpan.Zero);
        object item = view switch
        {
            "history" => new BackupEvent
            {
                Operation = BackupOperation.Create,
                Status = BackupEventStatus.Failed,
                Timestamp = moment,
                Duration = TimeSpan.FromSeconds(1),
                ErrorId = BackupErrorId.BackupChecksumMismatch,
                Database = "/srv/app.db",
            },
            "retention" => new RetentionDecision { Backup = Sample(), Action = RetentionAction.Remove, Reasons = ["too old"] },
            "schedule" or "waiting schedule" => new BackupSchedule
            {
                Name = "nightly",
                Trigger = new ScheduleTrigger { At = TimeSpan.FromHours(2) },
                DefinitionPath = "/x.json",
                NextRun = moment.AddDays(1),
                LastResult = view == "schedule" ? ScheduleResult.Failed : null,
                LastError = view == "schedule" ? "There is no database '/srv/app.db'." : null,
            },
            "drill" => new RestoreDrill
            {
                BackupId = Sample().Id,
                Source = "/b",
                Database = "/srv/app.db",
                RestoreTime = TimeSpan.FromSeconds(0.5),
                Reason = "it is damaged",
            },
            "health" => new BackupHealth
            {
                BackupDirectory = "/b",
                DatabasePath = "/srv/app.db",
                NewestVerified = moment,
                Checks = [new HealthCheck("Copies", HealthStatus.Warning, "there is none", null)],
            },
            "rows" => new RestoredRows { BackupId = "b", Database = "/srv/app.db", Table = "customer", Into = "customer", Inserted = 5 },
            "difference" => new BackupDifference
            {
                Name = "customer",
                ObjectType = "table",
                Change = DifferenceKind.Changed,
                RowsAdded = 5,
                Reference = "b",
                Difference = "c",
                Detail = "No key",
            },
            _ => new BackupScrubResult
            {
                BackupId = Sample().Id,
                BackupDirectory = "/b",
                BackupPath = "/b/x",
                Outcome = ScrubOutcome.Damaged,
                Reason = "its file differs",
                Bytes = 1024,
            },
        };
        foreach (var width in (int[])[80, 100, 120])
        {
            using var session = SessionOf(width);
            var text = session.Render("$input", item);
            Assert.Matches(shown, text);
            Assert.All(text.Split(Environment.NewLine), line => Assert.True(line.Length <= width, line));

            // A column that is left a few characters wide prints its header downwards.
            Assert.True(text.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)[1].StartsWith("---", StringComparison.Ordinal), text);
        }
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1023949, "1000 KiB")]
    [InlineData(1047527, "1023 KiB")]
    [InlineData(1048575, "1.0 MiB")]
    [InlineData(1536L * 1024 * 1024, "1.5 GiB")]
    public void Sizes_are_shown_in_binary_units(long size, string shown)
    {
        using var session = PowerShellSession.Start();
        var backup = new BackupMetadata { Id = "b", BackupPath = "b", BackupDirectory = ".", Size = size };
        Assert.Contains($" {shown} ", session.Render("$input", backup), StringComparison.Ordinal);

        using var list = new ListSession();
        var bytes = size.ToString("N0", CultureInfo.InvariantCulture);
        Assert.Contains($": {shown} ({bytes} bytes)", list.Render(backup), StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_do_not_depend_on_the_culture()
    {
        using var list = new ListSession();
        var shown = list.Render(Sample(), "[cultureinfo]::CurrentCulture = 'de-DE'");
        Assert.Contains("123.0 MiB (128,974,848 bytes)", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Constrained_language_shows_the_same()
    {
        using var session = PowerShellSession.Start();
        var free = session.Render("$input", Sample());
        session.Invoke("$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'").WithoutErrors();
        Assert.Equal(free, session.Render("$input", Sample()));
    }

    [Fact]
    public void The_list_says_what_it_is_where_it_is_how_it_was_checked_what_it_builds_on_and_the_sums_last()
    {
        using var list = new ListSession();
        var shown = list.Render(Sample());
        var names = shown.Split(Environment.NewLine).Where(line => line.Contains(" :", StringComparison.Ordinal) && line[0] != ' ')
            .Select(line => line[..line.IndexOf(' ', StringComparison.Ordinal)]).ToList();
        Assert.Equal(typeof(BackupMetadata).GetProperties().Select(property => property.Name).Order(), names.Order());
        Assert.Equal("Id", names[0]);
        string[] firsts = ["DatabasePath", "BackupPath", "Verified", "ParentId", "Checksum"];
        Assert.Equal(firsts, names.Where(firsts.Contains));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[cultureinfo]::CurrentCulture = 'de-DE'")]
    public void Every_list_has_times_in_UTC_of_any_culture(string before)
    {
        var moment = new DateTimeOffset(2026, 11, 22, 3, 30, 0, TimeSpan.FromHours(1));
        using var list = new ListSession();
        foreach (var (item, times) in (List<(object, int)>)
            [
                (Sample() with { Timestamp = moment, VerificationTimestamp = moment, ScrubTimestamp = moment }, 3),
                (new BackupTestResult { Id = "b", BackupPath = "b", BackupDirectory = "b", Timestamp = moment, VerificationTimestamp = moment }, 2),
                (new BackupRestoreResult { Id = "b", BackupPath = "b", BackupDirectory = "b", Timestamp = moment }, 1),
                (new BackupTransferResult { Id = "b", BackupPath = "b", BackupDirectory = "b", Timestamp = moment }, 1),
                (new BackupEvent { Operation = BackupOperation.Create, Timestamp = moment }, 1),
                (new RetentionDecision { Backup = Sample() with { Timestamp = moment } }, 1),
                (new BackupSchedule { Name = "n", Trigger = new ScheduleTrigger(), DefinitionPath = "d", NextRun = moment, LastRun = moment }, 2),
                (new ScheduleRun { Name = "n", Started = moment }, 1),
                (new RestoreDrill { BackupId = "b", Source = "s", Started = moment, Ended = moment }, 2),
                (new BackupScrubResult { BackupId = "b", BackupDirectory = "b", BackupPath = "b", Reason = "r", Timestamp = moment, LastCheck = moment }, 2),
                (new BackupHealth { BackupDirectory = "b", Timestamp = moment, NewestVerified = moment }, 2),
            ])
        {
            var shown = list.Render(item, before);
            Assert.Equal(times + 1, shown.Split("2026-11-22 02:30:00Z").Length);
            Assert.DoesNotContain("22/11", shown, StringComparison.Ordinal);
            Assert.DoesNotContain("11/22", shown, StringComparison.Ordinal);
            Assert.DoesNotContain("22.11", shown, StringComparison.Ordinal);
            if (item is not (BackupTestResult or BackupRestoreResult or BackupTransferResult or RetentionDecision))
            {
                Assert.All(item.GetType().GetProperties(), property => Assert.Matches($@"(?m)^{property.Name} +:", shown));
            }
        }
    }

    [Theory]
    [InlineData(false, false, "No")]
    [InlineData(false, true, "FAILED")]
    [InlineData(true, true, "Quick")]
    public void The_table_tells_a_failed_check_from_one_never_made(bool passed, bool checkedOnce, string shown)
    {
        using var session = PowerShellSession.Start();
        var backup = new BackupMetadata
        {
            Id = "b",
            BackupPath = "b",
            BackupDirectory = ".",
            Verified = passed,
            VerificationLevel = passed ? VerificationLevel.Quick : VerificationLevel.None,
            VerificationTimestamp = checkedOnce ? DateTimeOffset.UtcNow : null,
        };
        Assert.Contains(shown, Words(session.Render("$input", backup)));
    }

    [Fact]
    public void An_age_and_the_checks_have_views_of_their_own()
    {
        using var session = PowerShellSession.Start();
        Assert.Equal("3d 4h", session.Render("$input | ForEach-Object Age", Sample()).Trim());
        var checks = session.Render("$input | ForEach-Object Verification", Sample());
        Assert.Matches(@"RowCounts +False +app: 1 row of 2", checks);
    }

    [Fact]
    public void A_backup_out_of_a_job_or_file_is_a_backup_again()
    {
        using var session = PowerShellSession.Start();
        var backup = Sample(map => map["hosts"] = new List<object?> { "a", new List<object?> { "b", 3 } }) with
        {
            RowCounts = Enumerable.Range(0, 9).ToDictionary(number => $"table{number}", number => (long)number),
            ForeignKeyViolations = [new ForeignKeyViolation { Table = "order", Columns = "customer", Parent = "customer", Rows = 3 }],
        };
        var back = Assert.Single(session.Invoke(RoundTrip, [backup]).WithoutErrors().As<BackupMetadata>());

        Assert.Equal(JsonSerializer.Serialize(backup, WithoutAge), JsonSerializer.Serialize(back, WithoutAge));
        Assert.Equal(3, session.Invoke("foreach ($b in $input) { $b.Metadata.hosts[1][1] }", [back]).WithoutErrors().As<int>().Single());
        Assert.Single(session.Invoke("$input | Where-Object Age -gt 3d", [back]).WithoutErrors().Output);
        Assert.Empty(session.Invoke("$input | Where-Object Age -gt 30d", [back]).WithoutErrors().Output);
    }

    [Fact]
    public void Lists_and_maps_read_as_their_values()
    {
        using var session = PowerShellSession.Start();
        var backup = Sample(map => map["hosts"] = new List<object?> { "a", new Dictionary<string, object?> { ["b"] = 1.5 } }) with
        {
            RowCounts = new Dictionary<string, long> { ["customer"] = 3, ["order"] = 4 },
            Recipients = ["age1a", "age1b"],
        };
        var texts = session.Invoke(
            "[cultureinfo]::CurrentCulture = 'de-DE'; foreach ($b in $input) { foreach ($p in 'Metadata', 'RowCounts', 'Recipients', 'Copies', 'Verification') { $b.$p.ToString() } }",
            [backup]).WithoutErrors().As<string>();
        Assert.Equal(
            [
                "hosts=(a; (b=1.5))", "customer=3; order=4", "age1a; age1b", "", "Integrity: passed (ok); RowCounts: FAILED (app: 1 row of 2)",
            ],
            texts);
    }

    [Fact]
    public void Where_the_module_is_not_imported_a_serialised_backup_is_a_bag_of_all_its_values()
    {
        using var session = PowerShellSession.Start();
        var backup = Sample(map => map["hosts"] = new List<object?> { "a", new List<object?> { "b", 3 } });
        var text = session.Invoke("$input | ForEach-Object { [System.Management.Automation.PSSerializer]::Serialize($_) }", [backup]).WithoutErrors().Output;

        using var bare = PowerShellSession.StartBare();
        var values = bare.Invoke(
            """
            $b = [System.Management.Automation.PSSerializer]::Deserialize($args[0])
            $b.PSTypeNames[0]; $b.Id; $b.Size; $b.Timestamp.UtcDateTime; $b.Verification[1].Detail; $b.Metadata.hosts[1][1]; "$($b.Age)"
            """,
            [],
            text.Single().BaseObject).WithoutErrors().Output.Select(o => o.BaseObject);
        Assert.Equal<object>(
            ["Deserialized.SignalHarvester.Backup.BackupMetadata", backup.Id, backup.Size, backup.Timestamp.UtcDateTime, "app: 1 row of 2", 3, "3d 4h"],
            values);
    }

    [Fact]
    public void A_bag_that_has_lost_a_property_stays_a_bag_and_shows_the_same()
    {
        using var session = PowerShellSession.Start();
        var back = session.Invoke(
            """
            foreach ($b in $input) {
                $text = [System.Management.Automation.PSSerializer]::Serialize($b) -replace 'N="Checksum"', 'N="Sum"'
                [System.Management.Automation.PSSerializer]::Deserialize($text)
            }
            """,
            [Sample()]).WithoutErrors().Output.Single();
        Assert.Equal("Deserialized.SignalHarvester.Backup.BackupMetadata", back.TypeNames[0]);
        Assert.Equal(session.Render("$input", Sample()), session.Render("$input", back));
    }

    private static PowerShellSession SessionOf(int width)
    {
        var session = PowerShellSession.Start();
        session.Host.UI.RawUI.BufferSize = session.Host.UI.RawUI.WindowSize = new(width, 50);
        return session;
    }

    /// <summary>An engine with only the list view: Format-List is a Utility cmdlet, which it does not have.</summary>
    private sealed class ListSession : IDisposable
    {
        private readonly string file = Path.Join(Path.GetTempPath(), Path.GetRandomFileName() + ".Format.ps1xml");
        private readonly PowerShellSession session;

        public ListSession()
        {
            var views = XDocument.Load(BuiltModule.PathOf("SignalHarvester.Backup.Format.ps1xml"));
            views.Descendants("View").Where(v => !v.Descendants("ListControl").Any()).Remove();
            views.Save(file);
            session = PowerShellSession.StartWithFormat(file);
        }

        public string Render(object item, string before = "") => session.Render(before + "; $input", item);

        public void Dispose()
        {
            session.Dispose();
            File.Delete(file);
        }
    }

    private static string[] Words(string line) => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
