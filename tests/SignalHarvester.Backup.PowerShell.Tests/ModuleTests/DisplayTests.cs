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

    [Fact]
    public void The_table_shows_a_backup_on_one_line_of_120_columns()
    {
        using var session = PowerShellSession.Start();
        var lines = session.Render("$input", Sample()).Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.True(line.Length <= 120, line));
        Assert.Equal(["Id", "Type", "Age", "Size", "Verified", "Stored", "Compression", "Policy", "Database"], Words(lines[0]));
        Assert.Equal(
            ["backup_20261122_020000_123456", "Full", "3d", "4h", "123.0", "MiB", "Full", "12", "%", "Zstd", "Daily", "app.db"],
            Words(lines[2]));
    }

    [Theory]
    [InlineData(81, "Stored")]
    [InlineData(80, "Stored")]
    [InlineData(101, "Policy")]
    [InlineData(100, "Policy")]
    public void A_narrower_screen_has_fewer_columns_and_no_broken_ones(int width, string last)
    {
        using var session = PowerShellSession.Start();
        session.Host.UI.RawUI.BufferSize = new(width, 50);
        var lines = session.Render("$input", Sample()).Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(3, lines.Length);
        Assert.Equal(last, Words(lines[0])[^1]);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
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
    public void The_list_shows_every_property()
    {
        using var list = new ListSession();
        var shown = list.Render(Sample());
        Assert.All(typeof(BackupMetadata).GetProperties(), p => Assert.Matches($@"(?m)^{p.Name} +:", shown));
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
        };
        var back = Assert.Single(session.Invoke(RoundTrip, [backup]).WithoutErrors().As<BackupMetadata>());

        Assert.Equal(JsonSerializer.Serialize(backup, WithoutAge), JsonSerializer.Serialize(back, WithoutAge));
        Assert.Equal(3, session.Invoke("foreach ($b in $input) { $b.Metadata.hosts[1][1] }", [back]).WithoutErrors().As<int>().Single());
        Assert.Single(session.Invoke("$input | Where-Object Age -gt 3d", [back]).WithoutErrors().Output);
        Assert.Empty(session.Invoke("$input | Where-Object Age -gt 30d", [back]).WithoutErrors().Output);
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

        public string Render(BackupMetadata backup, string before = "") => session.Render(before + "; $input", backup);

        public void Dispose()
        {
            session.Dispose();
            File.Delete(file);
        }
    }

    private static string[] Words(string line) => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
