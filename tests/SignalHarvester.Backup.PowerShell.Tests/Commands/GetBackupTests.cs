using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Get-SHBackup, as a user calls it.</summary>
public class GetBackupTests
{
    [Fact]
    public void The_newest_comes_first_whatever_the_names_say()
    {
        using var workspace = new Workspace();
        var middle = workspace.AddBackup(TimeSpan.FromDays(2));
        var newest = workspace.AddBackup(TimeSpan.FromDays(1));
        // The timestamp in the sidecar has precedence over the one in the id.
        var oldest = workspace.AddBackup(TimeSpan.FromHours(1), sidecar => sidecar["timestamp"] = "2020-01-01T00:00:00");
        Assert.Equal([newest, middle, oldest], workspace.Listed());
    }

    [Fact]
    public void Each_filter_takes_its_own_and_all_are_combined()
    {
        using var workspace = new Workspace();
        var plain = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["retention_policy"] = null);
        var daily = workspace.AddBackup(TimeSpan.FromDays(2), sidecar => sidecar["retention_policy"] = "daily");
        var weekly = workspace.AddBackup(TimeSpan.FromDays(3), sidecar =>
        {
            sidecar["retention_policy"] = "weekly";
            sidecar["verified"] = false;
        });
        var other = workspace.AddBackup(TimeSpan.FromDays(4), sidecar => sidecar["db_path"] = "/srv/Other.db");
        var incremental = workspace.AddBackup(TimeSpan.FromDays(5), sidecar => sidecar["backup_type"] = "incremental");

        string[] Select(string parameters) => [.. Workspace.Ids(workspace.Run("Get-SHBackup " + parameters).WithoutErrors())];

        Assert.Equal([plain, daily, weekly, other, incremental], Select(string.Empty));
        Assert.Equal([daily], Select("-RetentionPolicy Daily"));
        Assert.Equal([daily, weekly], Select("-RetentionPolicy Daily, Weekly"));
        Assert.Equal([weekly], Select("-Verified:$false"));
        Assert.Equal([plain, daily, other, incremental], Select("-Verified"));
        Assert.Equal([other], Select("-Database other.db"));
        Assert.Equal([other], Select("-Database /srv/*"));
        Assert.Equal([plain, daily, weekly, incremental], Select("-Database app.db"));
        Assert.Equal([plain, daily, weekly, other, incremental], Select("-Database app.db, /srv/other.db"));
        Assert.Empty(Select("-Database app"));
        Assert.Equal([incremental], Select("-Type Incremental"));
        Assert.Equal([plain, daily, weekly, other], Select("-Type Full"));
        Assert.Equal([plain, daily, weekly, other, incremental], Select("-Type Full, Incremental"));
        Assert.Equal([plain, daily], Select("-After ([datetime]::UtcNow.AddDays(-2.5))"));
        Assert.Equal([weekly, other, incremental], Select("-Before ([datetime]::Now.AddDays(-2.5))"));
        Assert.Equal([weekly], Select("-After ([datetimeoffset]::Now.AddDays(-3.5)) -Before ([datetime]::UtcNow.AddDays(-2.5))"));
        Assert.Equal([other, incremental], Select("-OlderThan 3.5d"));
        Assert.Equal([plain, daily, other], Select("-Newest 2"));
        Assert.Equal([daily, other, incremental], Select("-Verified -Before ([datetime]::UtcNow.AddDays(-1.5)) -Newest 2"));
        Assert.Equal([other], Select($"{other}"));
        Assert.Equal([plain, other], Select($"-Id {other}, {plain}"));
        Assert.Equal([weekly], Select($"-Id *{weekly[^15..]}"));
        Assert.Equal([plain, daily, weekly, other, incremental], Select("BACKUP_*"));
        Assert.Empty(Select("-Id backup_1999*"));
    }

    [Fact]
    public void After_includes_its_moment_and_Before_does_not()
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["timestamp"] = "2026-01-02T03:04:05+00:00");
        Assert.Equal([id], Workspace.Ids(workspace.Run("Get-SHBackup -After '2026-01-02T03:04:05Z'").WithoutErrors()));
        Assert.Empty(workspace.Run("Get-SHBackup -Before '2026-01-02T03:04:05Z'").WithoutErrors().Output);
        Assert.Equal([id], Workspace.Ids(workspace.Run("Get-SHBackup -Before '2026-01-02T03:04:06Z'").WithoutErrors()));
    }

    [Fact]
    public void Ids_come_through_the_pipeline()
    {
        using var workspace = new Workspace();
        var old = workspace.AddBackup(TimeSpan.FromDays(2));
        var young = workspace.AddBackup(TimeSpan.FromDays(1));
        Assert.Equal([old, young], Workspace.Ids(workspace.Run($"'{old}', '{young}' | Get-SHBackup").WithoutErrors()));
        Assert.Equal([young, old], Workspace.Ids(workspace.Run("Get-SHBackup | Get-SHBackup").WithoutErrors()));
    }

    [Fact]
    public void Safety_backups_are_listed_but_never_the_newest()
    {
        using var workspace = new Workspace();
        var real = workspace.AddBackup(TimeSpan.FromDays(2));
        var safety = workspace.AddBackup(TimeSpan.FromDays(1), sidecar => sidecar["safety"] = true);
        Assert.Equal([safety, real], workspace.Listed());
        Assert.Equal([real], Workspace.Ids(workspace.Run("Get-SHBackup -Newest 1").WithoutErrors()));
        Assert.Equal([real], Workspace.Ids(workspace.Run("Get-SHBackup -Newest 5").WithoutErrors()));
    }

    [Fact]
    public void An_unknown_id_is_an_error_and_the_known_one_is_listed()
    {
        using var workspace = new Workspace();
        var known = workspace.AddBackup(TimeSpan.FromDays(1));
        var result = workspace.Run($"Get-SHBackup -Id backup_20200101_000000_000000, {known}, nonsense");
        Assert.Equal([known], Workspace.Ids(result));
        Assert.Equal(["backup_20200101_000000_000000", "nonsense"], result.Errors.Select(error => error.TargetObject));
        Assert.All(result.Errors, error => Assert.StartsWith("BackupNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Get-SHBackup {0}")]
    [InlineData("'{0}' | Get-SHBackup")]
    [InlineData("Test-SHBackup {0}")]
    [InlineData("Restore-SHBackup {0} ./new.db -Force")]
    [InlineData("Remove-SHBackup {0} -Force")]
    public void An_id_may_be_given_in_any_case(string script)
    {
        using var workspace = new Workspace();
        var id = workspace.AddBackup(TimeSpan.FromDays(1));
        var result = workspace.Run(script.Replace("{0}", id.ToUpperInvariant(), StringComparison.Ordinal)).WithoutErrors();
        Assert.Equal([id], Workspace.Ids(result));
    }

    [Fact]
    public void Each_bad_sidecar_is_an_error_of_its_own_and_the_others_are_listed()
    {
        using var workspace = new Workspace();
        var good = workspace.AddBackup(TimeSpan.FromDays(1));
        var broken = workspace.AddBackup(TimeSpan.FromDays(2));
        File.WriteAllText(workspace.SidecarOf(broken), "{ this is not JSON");
        var poor = workspace.AddBackup(TimeSpan.FromDays(3), sidecar => sidecar.Remove("backup_path"));
        var hostile = workspace.AddBackup(TimeSpan.FromDays(4), sidecar => sidecar["backup_path"] = "../../etc/passwd");

        var result = workspace.Run("Get-SHBackup");
        Assert.Equal([good], Workspace.Ids(result));
        Assert.Equal(
            [(hostile, "SidecarHostile"), (poor, "SidecarInvalid"), (broken, "SidecarInvalid")],
            result.Errors.Select(error => (Path.GetFileNameWithoutExtension((string)error.TargetObject), error.FullyQualifiedErrorId.Split(',')[0])));
        Assert.Null(result.Failure);
    }

    [Theory]
    [InlineData("Get-SHBackup -BackupDirectory ./missing")]
    [InlineData("Get-SHBackup backup_20200101_000000_000000 -BackupDirectory ./missing")]
    [InlineData("Test-SHBackup * -BackupDirectory ./missing")]
    [InlineData("Remove-SHBackup * -Force -BackupDirectory ./missing")]
    [InlineData("Restore-SHBackup * -Force -Destination ./x.db -BackupDirectory ./missing")]
    public void A_missing_directory_is_named_and_not_made(string script)
    {
        using var workspace = new Workspace();
        var error = Assert.Single(workspace.Run(script).Errors);
        Assert.StartsWith("DirectoryNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(workspace["missing"], error.TargetObject);
        Assert.False(Directory.Exists(workspace["missing"]));
    }

    [Fact]
    public void An_empty_directory_lists_nothing_without_an_error()
    {
        using var workspace = new Workspace();
        Assert.Empty(workspace.Listed());
        Assert.Empty(workspace.BackupFiles);
    }

    [Fact]
    public void Listing_writes_nothing()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        var before = workspace.BackupFiles;
        workspace.Run("Get-SHBackup; Get-SHBackup *; Get-SHBackup -Newest 1").WithoutErrors();
        Assert.Equal(before.Order(), workspace.BackupFiles.Order());
    }

    [Fact]
    public void The_newest_that_is_dated_ahead_is_said_to_be_and_is_it_only_until_another_one_is_made()
    {
        using var workspace = new Workspace();
        var ahead = workspace.AddBackup(-TimeSpan.FromDays(30));
        var before = workspace.Run("Get-SHBackup -Newest 1").WithoutErrors();
        Assert.Equal([ahead], Workspace.Ids(before));
        Assert.Contains($"'{ahead}' is dated in the future", Assert.Single(before.Warnings), StringComparison.Ordinal);

        var made = workspace.MakeBackup();
        var after = workspace.Run("Get-SHBackup -Newest 1").WithoutErrors();
        Assert.Equal([made.Id], Workspace.Ids(after));
        Assert.Empty(after.Warnings);
        Assert.Equal([made.Id, ahead], workspace.Listed());
        Assert.Equal(made.Id, Workspace.Ids(workspace.Run(
            "Get-SHBackup -Newest 1 | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer | Out-Null; Get-SHBackup -Remote -Provider Directory -Container ./offsite -Newest 1")
            .WithoutErrors())
            .Single());
    }

    [Theory]
    [InlineData("Get-SHBackup -Newest 0")]
    [InlineData("Get-SHBackup -Newest -1")]
    [InlineData("Get-SHBackup -Type Nonsense")]
    [InlineData("Get-SHBackup -Id ''")]
    [InlineData("Get-SHBackup -OlderThan $null")]
    [InlineData("Get-SHBackup -After $null")]
    [InlineData("Get-SHBackup -Before $null")]
    [InlineData("Get-SHBackup -Type $null")]
    [InlineData("Get-SHBackup -RetentionPolicy $null")]
    [InlineData("Get-SHBackup -BackupDirectory ''")]
    [InlineData("Get-SHBackup -After nonsense")]
    public void A_parameter_that_makes_no_sense_is_refused(string script)
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromDays(1));
        var result = workspace.Run(script);
        Assert.Empty(result.Output);
        Assert.Single(result.Errors);
    }
}
