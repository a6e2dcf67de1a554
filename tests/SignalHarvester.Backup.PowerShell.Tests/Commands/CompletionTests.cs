using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Tab offers the ids of backups and says which is which.</summary>
public class CompletionTests
{
    [Theory]
    [InlineData("Get-SHBackup -Id ")]
    [InlineData("Get-SHBackup ")]
    [InlineData("Invoke-SHBackupQuery 'SELECT 1' -Id ")]
    [InlineData("Find-SHBackup 'SELECT 1' -Id ")]
    [InlineData("Test-SHBackup ")]
    [InlineData("Restore-SHBackup -Id ")]
    [InlineData("Remove-SHBackup backup_")]
    [InlineData("Remove-SHBackup -Force -BackupDirectory ./backups -Id b")]
    public void Ids_are_offered_newest_first_with_date_type_size_and_database(string line)
    {
        using var workspace = new Workspace();
        var old = workspace.AddBackup(TimeSpan.FromDays(2), sidecar =>
        {
            sidecar["timestamp"] = "2026-01-02T03:04:05+00:00";
            sidecar["size_bytes"] = 1536;
        });
        var young = workspace.AddBackup(TimeSpan.FromDays(1));

        var offered = workspace.Session.Complete(line);
        Assert.Equal([young, old], offered.Select(item => item.CompletionText));
        Assert.Equal("2026-01-02 03:04 UTC, Full, 1.5 KiB, app.db", offered[1].ToolTip);
    }

    [Fact]
    public void What_was_typed_narrows_it_down()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(400));
        var young = workspace.AddBackup(TimeSpan.FromDays(1));
        Assert.Equal([young], workspace.Session.Complete("Get-SHBackup " + young[..^6]).Select(item => item.CompletionText));
        Assert.Equal([young], workspace.Session.Complete("Get-SHBackup '" + young[..^6]).Select(item => item.CompletionText.Trim('\'')));
    }

    [Fact]
    public void Another_directory_is_looked_into_when_it_is_given_with_odd_characters_too()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.Run("New-SHBackup app.db -NoVerify -BackupDirectory './other [x]'").WithoutErrors();
        var ids = Workspace.Ids(workspace.Run("Get-SHBackup -BackupDirectory './other [x]'").WithoutErrors());
        Assert.Equal(ids, workspace.Session.Complete("Get-SHBackup -BackupDirectory './other [x]' -Id ").Select(item => item.CompletionText));
    }

    [Fact]
    public void Nothing_is_offered_without_an_error_where_there_is_no_directory_or_a_bad_sidecar()
    {
        using var workspace = new Workspace();
        Assert.DoesNotContain(
            workspace.Session.Complete("Get-SHBackup -BackupDirectory ./missing -Id "),
            item => item.CompletionText.StartsWith("backup_", StringComparison.Ordinal));
        var good = workspace.AddBackup(TimeSpan.FromDays(1));
        File.WriteAllText(workspace.SidecarOf(workspace.AddBackup(TimeSpan.FromDays(2))), "no");
        Assert.Equal([good], workspace.Session.Complete("Get-SHBackup -Id ").Select(item => item.CompletionText));
    }

    [Theory]
    [InlineData("Send-SHBackup -To ")]
    [InlineData("Get-SHBackup -From ")]
    [InlineData("Start-SHBackupProtection ./app.db -To ./of")]
    public async Task A_place_of_copies_is_a_folder_too_and_no_file(string line)
    {
        using var workspace = new Workspace();
        Directory.CreateDirectory(workspace["offsite disk"]);
        File.WriteAllText(workspace["offline.txt"], string.Empty);
        var offered = await OfferedAsync(workspace, line);
        Assert.Contains("offsite disk", offered);
        Assert.DoesNotContain("offline.txt", offered);
    }

    [Theory]
    [InlineData("Get-SHBackup -Database ")]
    [InlineData("Invoke-SHBackupQuery 'SELECT 1' -Database ")]
    [InlineData("Find-SHBackup 'SELECT 1' -Database ")]
    [InlineData("Restore-SHBackup -PointInTime 2030-01-01 -Database ")]
    [InlineData("Restore-SHBackup -Transaction 1 -Database ")]
    [InlineData("Get-SHBackupTransaction -Database ")]
    [InlineData("Invoke-SHBackupRetention -Database ")]
    [InlineData("Invoke-SHRestoreDrill -Newest -Database ")]
    [InlineData("Get-SHBackupHealth -Database ")]
    public void Databases_are_offered_that_backups_were_made_of(string line)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        workspace.AddBackup(TimeSpan.FromDays(2), sidecar => sidecar["db_path"] = "/srv/a b.db");
        workspace.AddBackup(TimeSpan.FromDays(3), sidecar => sidecar["db_path"] = "/srv/x/same.db");
        workspace.AddBackup(TimeSpan.FromDays(4), sidecar => sidecar["db_path"] = "/srv/y/same.db");
        Assert.Equal(
            ["'a b.db'", "/srv/x/same.db", "/srv/y/same.db", "app.db"],
            workspace.Session.Complete(line).Select(item => item.CompletionText).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Restore-SHBackup -Into ./app.db -Table ")]
    [InlineData("Compare-SHBackup -Table ")]
    public void Tables_are_offered_that_backups_hold(string line)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(
            TimeSpan.FromDays(1), sidecar => sidecar["row_counts"] = new System.Text.Json.Nodes.JsonObject { ["customer"] = 3, ["odd name"] = 1 });
        Assert.Equal(["customer", "'odd name'"], workspace.Session.Complete(line).Select(item => item.CompletionText));
        Assert.Equal(["customer"], workspace.Session.Complete(line + "cu").Select(item => item.CompletionText));
    }

    [Theory]
    [InlineData("Restore-SHBackup -Table ", "'it''s[1]'")]
    [InlineData("Compare-SHBackup -Table ", "'it''s`[1`]'")]
    public void A_table_is_offered_as_the_command_takes_it(string line, string word)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["row_counts"] = new System.Text.Json.Nodes.JsonObject { ["it's[1]"] = 3 });
        Assert.Equal([word], workspace.Session.Complete(line).Select(item => item.CompletionText));
    }

    [Fact]
    public void Keys_of_the_configuration_are_offered_with_what_applies()
    {
        using var workspace = new Workspace();
        workspace.Configure("app:\n  backup:\n    compression: gzip\n");
        var offered = workspace.Session.Complete("Get-SHBackupConfiguration -Key app.backup.comp");
        Assert.Equal(["app.backup.compression", "app.backup.compression_level"], offered.Select(item => item.CompletionText));
        Assert.Equal("gzip", offered[0].ToolTip);
    }

    [Theory]
    [InlineData("New-SHBackup ")]
    [InlineData("New-SHBackup -LiteralPath ")]
    [InlineData("Register-SHBackupSchedule x -Daily -DatabasePath ")]
    [InlineData("Restore-SHBackup -Table t -Into ")]
    [InlineData("Compare-SHBackup -Database ")]
    public async Task Databases_are_offered_by_the_way_they_begin_and_nothing_beside_them(string line)
    {
        using var workspace = new Workspace();
        Databases.Create(workspace["no extension"]);
        using var open = Databases.CreateWithLiveWal(workspace["live.db"]);
        File.WriteAllText(workspace["empty.db"], string.Empty);
        File.WriteAllText(workspace["notes.db"], "SQLite is what these notes are about. " + new string('x', 200));
        Directory.CreateDirectory(workspace["folder"]);
        Assert.True(File.Exists(workspace["live.db-wal"]));
        var offered = await OfferedAsync(workspace, line);
        Assert.Equal(["app.db", "live.db", "no extension"], offered.Where(name => File.Exists(workspace[name])).Order(StringComparer.Ordinal));
        Assert.Contains("folder", offered);
    }

    [Theory]
    [InlineData("Restore-SHBackup -Database app.db -PointInTime ")]
    [InlineData("Invoke-SHBackupQuery 'SELECT 1' -PointInTime ")]
    [InlineData("Find-SHBackup 'SELECT 1' -Before ")]
    [InlineData("Find-SHBackup 'SELECT 1' -After ")]
    [InlineData("Get-SHBackup -Before ")]
    [InlineData("Get-SHBackup -After ")]
    public void Moments_of_backups_are_offered_and_mean_them(string line)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var offered = Assert.Single(workspace.Session.Complete(line));
        Assert.Equal($"Full backup of app.db, {made.Id}", offered.ToolTip);
        var listing = line.EndsWith("-After ", StringComparison.Ordinal) ? "Get-SHBackup -After " : "Get-SHBackup -Before ";
        Assert.Equal([made.Id], Workspace.Ids(workspace.Run(listing + offered.CompletionText).WithoutErrors()));
        if (line.StartsWith("Restore", StringComparison.Ordinal))
        {
            workspace.Run($"{line}{offered.CompletionText} -Destination ./back.db -Force").WithoutErrors();
        }
    }

    [Theory]
    [InlineData("Get-SHBackup -OlderThan ", "7d 30d 90d 1y")]
    [InlineData("Get-SHBackup -OlderThan 3", "30d")]
    [InlineData("Invoke-SHBackupRetention -KeepWithin ", "1d 2d 7d")]
    [InlineData("Register-SHBackupSchedule x -Every ", "15m 1h 6h 12h")]
    [InlineData("Register-SHBackupSchedule x -Daily -At ", "02:00 03:00 04:00 12:00 22:00")]
    [InlineData("Send-SHBackup -Provider Azure -StorageClass ", "Hot Cool Cold")]
    [InlineData("Send-SHBackup -Provider S3 -Region eu-w", "eu-west-1 eu-west-2 eu-west-3")]
    [InlineData("New-SHBackupStore x -ImmutableFor 9", "90d")]
    public void Usual_values_are_offered_with_their_meaning(string line, string values)
    {
        using var workspace = new Workspace();
        var offered = workspace.Session.Complete(line);
        Assert.Equal(values, string.Join(' ', offered.Select(item => item.CompletionText)));
        Assert.All(offered, item => Assert.NotEqual(item.CompletionText, item.ToolTip));
    }

    [Theory]
    [InlineData("Get-SHBackup -ConfigurationPath ")]
    [InlineData("Test-SHBackupConfiguration ")]
    [InlineData("Get-SHBackupStore -ConfigurationPath ")]
    public async Task Configurations_are_offered_among_the_files(string line)
    {
        using var workspace = new Workspace();
        File.WriteAllText(workspace["settings.yaml"], "app:");
        File.WriteAllText(workspace["other.yml"], "app:");
        File.WriteAllText(workspace["notes.txt"], "text");
        var files = (await OfferedAsync(workspace, line)).Where(name => File.Exists(workspace[name]));
        Assert.Equal(["other.yml", "settings.yaml"], files.Order(StringComparer.Ordinal));
    }

    /// <summary>What the whole shell offers: it completes files with cmdlets that the tests' own engine does not have.</summary>
    private static Task<string[]> OfferedAsync(Workspace workspace, string line) =>
        HostRun.SucceedAsync(workspace.Folder, $"(TabExpansion2 '{line}' {line.Length}).CompletionMatches.ListItemText");

    [Fact]
    public void Columns_are_offered_for_the_condition_of_a_restore_of_rows()
    {
        using var workspace = new Workspace();
        using (var connection = Databases.Open(workspace.Database))
        {
            Databases.Execute(connection, "CREATE TABLE visit(id INTEGER PRIMARY KEY, \"it's\" TEXT, day TEXT)");
        }

        Assert.Equal(
            ["'id'", "'it''s'", "'day'"],
            workspace.Session.Complete("Restore-SHBackup -Table visit -Into ./app.db -Where ").Select(item => item.CompletionText));
        Assert.Equal(
            ["'id > 3 AND day'"],
            workspace.Session.Complete("Restore-SHBackup -Table visit -Into ./app.db -Where 'id > 3 AND d").Select(item => item.CompletionText));
        Assert.DoesNotContain(
            workspace.Session.Complete("Restore-SHBackup -Table visit -Into ./missing.db -Where "), item => item.ToolTip == "a column of visit");
        Assert.False(File.Exists(workspace["missing.db"]));
    }
}
