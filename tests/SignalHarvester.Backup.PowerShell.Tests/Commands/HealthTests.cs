using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Get-SHBackupHealth finds problems, each with a reason and a command that fixes it.</summary>
public partial class HealthTests
{
    [Fact]
    public void A_fresh_backup_is_as_it_should_be_but_for_what_nobody_has_set_up()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var health = Look(workspace).Single();

        Assert.Equal(workspace.Database, health.DatabasePath);
        Assert.Equal(
            ["RecoveryPoint", "RecoveryTime", "Chain", "Schedule", "Copies", "Encryption", "Disk", "Scrub"], health.Checks.Select(check => check.Check));
        Assert.Equal(["RecoveryTime", "Schedule", "Copies"], health.Checks.Where(check => check.Status != HealthStatus.Ok).Select(check => check.Check));
        Assert.Equal(HealthStatus.Warning, health.Status);
        Assert.All(health.Checks, check => Assert.Equal(check.Status == HealthStatus.Ok, check.Command is null));
    }

    [Fact]
    public void One_backup_is_spoken_of_in_the_singular_and_times_as_such()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-Recipient (New-SHBackupKey ./away.key)");
        var health = Look(workspace).Single();
        Assert.Equal("The backup is encrypted.", Of(health, "Encryption").Reason);
        Assert.Matches("^Each stored file was read and found good in the last [0-9.]+ s.$", Of(health, "Scrub").Reason);
    }

    [Theory]
    [InlineData(25, HealthStatus.Ok)]
    [InlineData(27, HealthStatus.Warning)]
    [InlineData(53, HealthStatus.Critical)]
    public void The_newest_verified_backup_is_held_against_what_may_be_lost(int hours, HealthStatus expected)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromHours(hours));
        Assert.Equal(expected, Check(workspace, "RecoveryPoint").Status);
    }

    [Fact]
    public void A_database_at_odds_with_itself_is_backed_up_and_said_by_the_backup_the_list_and_the_report()
    {
        using var workspace = new Workspace();
        using (var connection = Databases.Open(workspace.Database))
        {
            Databases.Execute(connection, """
                CREATE TABLE page(body);
                INSERT INTO page VALUES ('one');
                CREATE VIRTUAL TABLE search USING fts4(content="page", body);
                INSERT INTO search(search) VALUES ('rebuild');
                DELETE FROM page;
                """);
        }

        const string mends = "full-text index search is older than its table 'page' (INSERT INTO \"search\"(\"search\") VALUES('rebuild') repairs it)";
        var made = workspace.Run("New-SHBackup ./app.db").WithoutErrors();
        Assert.Contains(mends, Assert.Single(made.Warnings), StringComparison.Ordinal);
        Assert.True(made.As<BackupMetadata>().Single().Verified);
        Assert.Equal([mends], workspace.Run("(Get-SHBackup).Inconsistencies").WithoutErrors().As<string>());
        var check = Check(workspace, "RecoveryPoint");
        Assert.Equal(HealthStatus.Warning, check.Status);
        Assert.Contains(mends, check.Reason, StringComparison.Ordinal);

        using (var connection = Databases.Open(workspace.Database))
        {
            Databases.Execute(connection, mends[(mends.IndexOf('(', StringComparison.Ordinal) + 1)..mends.IndexOf(" repairs", StringComparison.Ordinal)]);
        }

        Assert.Empty(workspace.Run("New-SHBackup ./app.db").WithoutErrors().Warnings);
        Assert.Equal(HealthStatus.Ok, Check(workspace, "RecoveryPoint").Status);
    }

    [Fact]
    public void A_clock_that_was_wrong_hides_nothing()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromHours(60));
        workspace.AddBackup(TimeSpan.FromDays(-400), sidecar => sidecar["verification_timestamp"] = "2126-01-01T00:00:00+00:00");
        foreach (var (name, status) in new[] { ("RecoveryPoint", HealthStatus.Critical), ("Scrub", HealthStatus.Warning) })
        {
            var check = Check(workspace, name);
            Assert.Equal(status, check.Status);
            Assert.Contains("the clock was wrong then, or is now", check.Reason, StringComparison.Ordinal);
            Assert.NotNull(check.Command);
        }
    }

    [Fact]
    public void What_may_be_lost_is_configured_and_an_unverified_backup_does_not_count()
    {
        using var workspace = new Workspace();
        workspace.Configure("app:\n  backup:\n    health:\n      rpo: 1h\n");
        workspace.AddBackup(TimeSpan.FromMinutes(90));
        workspace.AddBackup(TimeSpan.FromMinutes(5), sidecar => sidecar["verified"] = false);
        var check = Look(workspace, "-BackupDirectory ./backups").Single().Checks[0];
        Assert.Equal(HealthStatus.Warning, check.Status);
        Assert.Contains("the limit is 1h (health.rpo)", check.Reason, StringComparison.Ordinal);
        Assert.Contains("Newer ones are not verified", check.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hurt_chain_is_critical_and_its_command_mends_it()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Incremental");
        Workspace.FlipByte(full.BackupPath);
        workspace.Run("Invoke-SHBackupScrub");

        var health = Look(workspace).Single();
        Assert.Equal(HealthStatus.Critical, health.Status);
        Assert.Equal(HealthStatus.Critical, Of(health, "Chain").Status);
        Assert.Equal(HealthStatus.Critical, Of(health, "RecoveryPoint").Status);
        Assert.Equal(HealthStatus.Warning, Of(health, "Scrub").Status);
        workspace.Run(Of(health, "Chain").Command!).WithoutErrors();
        var mended = Look(workspace).Single();
        Assert.Equal(HealthStatus.Ok, Of(mended, "RecoveryPoint").Status);
        Assert.Equal(HealthStatus.Warning, Of(mended, "Chain").Status);
    }

    [Fact]
    public void Copies_are_counted_by_place()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Assert.Contains("on this machine. If it is lost", Check(workspace, "Copies").Reason, StringComparison.Ordinal);
        workspace.Run("Get-SHBackup | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer").WithoutErrors();
        var folder = Check(workspace, "Copies");
        Assert.Equal(HealthStatus.Warning, folder.Status);
        Assert.Contains("3 copies, 2 kinds of place, none in a cloud", folder.Reason, StringComparison.Ordinal);
        workspace.EditSidecar(workspace.Listed().Single(), sidecar => sidecar["copies"]![0]!["provider"] = "s3");
        Assert.Equal(HealthStatus.Ok, Check(workspace, "Copies").Status);
    }

    [Fact]
    public void Plain_backups_beside_a_configured_encryption_are_told()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Assert.Equal(HealthStatus.Ok, Check(workspace, "Encryption").Status);
        var recipient = workspace.Run("(New-SHBackupKey ./key.txt).Recipient").WithoutErrors().As<string>().Single();
        workspace.Configure($"app:\n  backup:\n    encryption:\n      recipients: [{recipient}]\n");
        var health = Look(workspace, "-BackupDirectory ./backups").Single();
        Assert.Equal(HealthStatus.Warning, Of(health, "Encryption").Status);
        workspace.Run(Of(health, "Encryption").Command!).WithoutErrors();

        // What is plain and old is listed. No command of the report deletes what may be the only backup that opens here.
        var plain = workspace.Run(Of(Look(workspace, "-BackupDirectory ./backups").Single(), "Encryption").Command!).WithoutErrors();
        Assert.False(plain.As<BackupMetadata>().Single().IsEncrypted);
        Assert.Equal(2, workspace.Listed().Count);

        // And without a configuration: the next one gets the keys of the others.
        File.Delete(workspace["config", "settings.yaml"]);
        workspace.MakeBackup();
        workspace.Run(Of(Look(workspace, "-BackupDirectory ./backups").Single(), "Encryption").Command!).WithoutErrors();
        Assert.Equal([recipient], workspace.Run("Get-SHBackup -Newest 1").WithoutErrors().As<BackupMetadata>().Single().Recipients);
    }

    [Fact]
    public void The_recovery_point_says_which_key_a_restore_takes_and_whether_it_is_here()
    {
        using var workspace = new Workspace();
        var recipient = workspace.Run("(New-SHBackupKey ./key.txt).Recipient").WithoutErrors().As<string>().Single();
        workspace.MakeBackup($"-Recipient {recipient}");
        var away = Check(workspace, "RecoveryPoint");
        Assert.Equal(HealthStatus.Ok, away.Status);
        Assert.Contains($"needs the secret key of {recipient}, which is not here", away.Reason, StringComparison.Ordinal);

        workspace.Configure("app:\n  backup:\n    encryption:\n      identity_file: key.txt\n");
        Assert.Contains(
            $"needs the secret key of {recipient}, which is here in '{workspace["key.txt"]}'",
            Of(Look(workspace, "-BackupDirectory ./backups").Single(), "RecoveryPoint").Reason, StringComparison.Ordinal);
        File.Move(workspace["key.txt"], workspace["away.txt"]);
        Assert.Contains(
            $"which is not here in '{workspace["key.txt"]}'", Of(Look(workspace, "-BackupDirectory ./backups").Single(), "RecoveryPoint").Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_chain_that_takes_a_key_that_nobody_has_is_critical_and_its_command_mends_it()
    {
        using var workspace = new Workspace();
        var keys = workspace.Run("New-SHBackupKey ./key.txt; New-SHBackupKey ./lost.txt").WithoutErrors().As<BackupKey>()
            .Select(key => key.Recipient).ToArray();
        workspace.Configure($"app:\n  backup:\n    encryption:\n      identity_file: key.txt\n      recipients: [{keys[0]}]\n");
        workspace.Change();
        var full = workspace.MakeBackup("-BackupDirectory ./backups");
        workspace.Change();
        workspace.MakeBackup("-BackupDirectory ./backups -Type Incremental");
        workspace.Run($"Protect-SHBackup {full.Id} -BackupDirectory ./backups -Recipient {keys[1]}").WithoutErrors();
        workspace.Run("Remove-SHBackup $args[0] -BackupDirectory ./backups -Force", full.Id).WithoutErrors();

        var point = Of(Look(workspace, "-BackupDirectory ./backups").Single(), "RecoveryPoint");
        Assert.Equal(HealthStatus.Critical, point.Status);
        Assert.Contains(
            $"Its chain is encrypted to different keys: a restore needs the secret key of {keys[1]}, which is not here in '{workspace["key.txt"]}', and the secret key of {keys[0]}, which is here",
            point.Reason, StringComparison.Ordinal);
        workspace.Run(point.Command!).WithoutErrors();
        Assert.Equal(HealthStatus.Ok, Of(Look(workspace, "-BackupDirectory ./backups").Single(), "RecoveryPoint").Status);
    }

    [Fact]
    public void A_drill_that_was_stopped_is_no_drill_that_failed()
    {
        using var workspace = Drilled(
            "UPDATE event SET status = 'stopped', error_id = 'Stopped' WHERE id = (SELECT max(id) FROM event WHERE operation = 'drill')");

        Assert.Equal(HealthStatus.Ok, Of(Look(workspace).Single(), "RecoveryTime").Status);
    }

    [Fact]
    public void A_failed_drill_of_transactions_is_not_made_good_by_one_of_a_backup()
    {
        using var workspace = Drilled(
            "UPDATE event SET operation = 'streamDrill', status = 'failed', error = 'a hole' WHERE id = (SELECT min(id) FROM event WHERE operation = 'drill')");

        var check = Of(Look(workspace).Single(), "RecoveryTime");
        Assert.Equal(HealthStatus.Critical, check.Status);
        Assert.Contains("a hole", check.Reason, StringComparison.Ordinal);
        Assert.StartsWith("Invoke-SHRestoreDrill -Stream -Database ", check.Command, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_drilled_or_copied_at_a_moment_to_come_is_not_taken_for_fresh()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(
            -TimeSpan.FromDays(400), sidecar => sidecar["copies"] = JsonNode.Parse("[{\"provider\":\"s3\",\"url\":\"s3://b/x\",\"container\":\"b\"}]"));
        workspace.MakeBackup();
        workspace.Run("Get-SHBackup -Newest 1 | Invoke-SHRestoreDrill").WithoutErrors();
        using (var history = Databases.Open(workspace["backups", ".shbackup", "history.db"]))
        {
            Databases.Execute(history, "UPDATE event SET timestamp = '2126-01-01T00:00:00.000000+00:00' WHERE operation = 'drill'");
        }

        var health = Look(workspace).Single();
        Assert.Equal(HealthStatus.Ok, Of(health, "RecoveryPoint").Status);
        foreach (var name in new[] { "RecoveryTime", "Copies" })
        {
            Assert.Equal(HealthStatus.Warning, Of(health, name).Status);
            Assert.Contains("in the future", Of(health, name).Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Where_there_is_nothing_that_is_what_it_says()
    {
        using var workspace = new Workspace();
        var nowhere = Look(workspace, "-BackupDirectory ./nowhere").Single();
        Assert.Null(nowhere.DatabasePath);
        Assert.Equal(HealthStatus.Critical, nowhere.Status);
        Assert.Contains("does not exist", nowhere.Checks[0].Reason, StringComparison.Ordinal);
        Assert.False(Directory.Exists(workspace["nowhere"]));

        workspace.Configure("app:\n  database_path: app.db\n");
        var configured = Look(workspace).Single();
        Assert.Equal("There is no backup of this database.", configured.Checks[0].Reason);
        workspace.Run(configured.Checks[0].Command!).WithoutErrors();
        Assert.Equal(HealthStatus.Ok, Look(workspace).Single().Checks[0].Status);
    }

    [Fact]
    public void The_table_says_what_is_wrong_and_colours_only_a_terminal()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var shown = workspace.Session.Render("Get-SHBackupHealth; (Get-SHBackupHealth).Checks");
        var folder = new DirectoryInfo(workspace.Folder).Name;
        Assert.Matches($@"Warning +{Regex.Escape(folder[..Math.Min(20, folder.Length)])}", shown);
        Assert.DoesNotContain('\u001b', shown);
    }

    [Fact]
    public void A_report_comes_out_of_a_job_as_it_went_in()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var both = workspace.Run(
            "$r = Get-SHBackupHealth; $r; [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($r))")
            .WithoutErrors().As<BackupHealth>();
        Assert.Equal(both[0].Checks, both[1].Checks);
        Assert.Equal((both[0].Status, both[0].NewestVerified, both[0].Size), (both[1].Status, both[1].NewestVerified, both[1].Size));
    }

    [Theory]
    [InlineData("/srv/<script>alert(1)</script>&\"'`/a.db")]
    [InlineData("/srv/\u202Egnp.db")]
    [InlineData("/srv/بيانات/قاعدة.db")]
    [InlineData("/srv/\u0001\u0000.db")]
    public void A_page_is_well_formed_and_holds_no_markup_of_others(string database)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(3), sidecar => sidecar["db_path"] = database);
        workspace.AddBackup(TimeSpan.FromDays(2));
        var page = workspace.Run("Get-SHBackupHealth -AsHtml").WithoutErrors().As<string>().Single();

        // As strict as XML, after closing the few tags that HTML leaves open.
        var parsed = XDocument.Parse(Void().Replace(page.Replace("<!DOCTYPE html>", string.Empty, StringComparison.Ordinal), "$0</$1>"));
        Assert.Empty(parsed.Descendants("script"));
        Assert.DoesNotContain(
            parsed.Descendants().Attributes(),
            attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal) || attribute.Name.LocalName is "src" or "style");
        Assert.All(parsed.Descendants("a").Attributes("href"), link => Assert.StartsWith("#", link.Value, StringComparison.Ordinal));
        Assert.Equal(["d1", "d2"], parsed.Descendants("div").Attributes("id").Select(id => id.Value));
        Assert.All(parsed.Descendants("svg").Where(svg => svg.Attribute("aria-hidden") is null), svg => Assert.Equal("img", svg.Attribute("role")?.Value));
        Assert.DoesNotContain(page, one => char.IsControl(one) && one is not '\n' || one is '\u202E');
    }

    [Fact]
    public void A_page_goes_into_a_file_of_its_owners_alone_and_WhatIf_writes_none()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Assert.Empty(workspace.Run("Get-SHBackupHealth -AsHtml -Path ./out/health.html -WhatIf").WithoutErrors().Output);
        Assert.False(File.Exists(workspace["out", "health.html"]));
        Assert.Equal(
            workspace["out", "health.html"], workspace.Run("Get-SHBackupHealth -AsHtml -Path ./out/health.html").WithoutErrors().As<string>().Single());
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(workspace["out", "health.html"]), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(workspace["out", "health.html"]));
        }
    }

    /// <summary>A backup that was drilled twice, with another history of that.</summary>
    private static Workspace Drilled(string change)
    {
        var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Run("Get-SHBackup -Newest 1 | Invoke-SHRestoreDrill; Get-SHBackup -Newest 1 | Invoke-SHRestoreDrill").WithoutErrors();
        using var history = Databases.Open(workspace["backups", ".shbackup", "history.db"]);
        Databases.Execute(history, change);
        return workspace;
    }

    private static IReadOnlyList<BackupHealth> Look(Workspace workspace, string parameters = "") =>
        workspace.Run("Get-SHBackupHealth " + parameters).WithoutErrors().As<BackupHealth>();

    private static HealthCheck Check(Workspace workspace, string name) => Of(Look(workspace).Single(), name);

    private static HealthCheck Of(BackupHealth health, string name) => health.Checks.Single(check => check.Check == name);

    [GeneratedRegex("<(meta)( [^>]*)?>")]
    private static partial Regex Void();
}
