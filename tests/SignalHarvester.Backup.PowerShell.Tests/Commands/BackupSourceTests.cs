using System.Globalization;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>One backup can be here and in several object stores, and can be named in many ways: each way means the same place in every cmdlet.</summary>
public class BackupSourceTests
{
    private const string One = "-Provider Directory -Container ./one";
    private const string Other = "-Provider Directory -Container ./other";

    [Theory]
    [InlineData("Get-SHBackup -Remote {0}")]
    [InlineData("Get-SHBackup -Remote {0} | ForEach-Object {{ [pscustomobject]@{{ Id = $_.Id; Location = $_.Location }} }}")]
    public void The_store_that_is_named_wins_over_the_one_that_listed_the_backup(string listed)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        workspace.Run($"Get-SHBackup | Send-SHBackup {One} -CreateContainer; Get-SHBackup | Send-SHBackup {Other} -CreateContainer").WithoutErrors();

        workspace.Run($"{string.Format(CultureInfo.InvariantCulture, listed, One)} | Remove-SHBackup -Remote {Other} -Force").WithoutErrors();

        Assert.Equal([made.Id], Workspace.Ids(workspace.Run($"Get-SHBackup -Remote {One}").WithoutErrors()));
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {Other}").WithoutErrors().Output);
    }

    [Fact]
    public void A_copy_that_two_directories_record_is_removed_once_and_forgotten_by_both()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup();
        workspace.Run($"Get-SHBackup | Send-SHBackup {One} -CreateContainer").WithoutErrors();
        Tool.Require("cp").Run("-a", workspace.Backups, workspace["twin"]).EnsureSuccess();

        var removed = workspace.Run(
            $"@(Get-SHBackup -BackupDirectory ./twin -Newest 1) + @(Get-SHBackup) | Remove-SHBackup -Remote {One} -Force").WithoutErrors();

        Assert.Equal(2, removed.Output.Count);
        Assert.Empty(workspace.Run($"Get-SHBackup -Remote {One}").WithoutErrors().Output);
        Assert.All(workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>(), backup => Assert.Empty(backup.Copies));
        Assert.All(
            workspace.Run("Get-SHBackup -BackupDirectory ./twin -Newest 1").WithoutErrors().As<BackupMetadata>(), backup => Assert.Empty(backup.Copies));
    }

    [Theory]
    [InlineData("Remove-SHBackup -InputObject $backup -Remote {0} -Force")]
    [InlineData("$backup | Remove-SHBackup -Remote {0} -Force")]
    public void What_is_done_to_a_copy_is_recorded_in_the_directory_of_the_backup(string command)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-BackupDirectory ./elsewhere");
        workspace.Run($"Get-SHBackup -BackupDirectory ./elsewhere | Send-SHBackup {One} -CreateContainer").WithoutErrors();

        workspace.Run(
            "$backup = Get-SHBackup -BackupDirectory ./elsewhere; " + string.Format(CultureInfo.InvariantCulture, command, One)).WithoutErrors();

        Assert.Empty(workspace.Run("Get-SHBackup -BackupDirectory ./elsewhere").WithoutErrors().As<BackupMetadata>().Single().Copies);
        Assert.Contains(
            workspace.Run("Get-SHBackupHistory -BackupDirectory ./elsewhere").WithoutErrors().As<BackupEvent>(),
            told => told is { Operation: BackupOperation.Remove, Provider: CloudProvider.Directory });
        Assert.Empty(workspace.Run("Get-SHBackupHistory").WithoutErrors().Output);
    }

    [Theory]
    [InlineData("Receive-SHBackup -BackupDirectory ./fetched")]
    [InlineData("Test-SHBackup -Remote")]
    [InlineData("Restore-SHBackup -Remote -Destination ./new.db -Force")]
    public void An_object_is_enough_to_find_its_copy_when_its_directory_is_gone(string command)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Run($"Get-SHBackup | Send-SHBackup {One} -CreateContainer").WithoutErrors();

        workspace.Run("$global:known = Get-SHBackup").WithoutErrors();
        Directory.Delete(workspace.Backups, recursive: true);
        var done = workspace.Run($"$global:known | {command}").WithoutErrors();

        Assert.Single(done.Output);
    }

    [Theory]
    [InlineData("Merge-SHBackup")]
    [InlineData("Send-SHBackup -Provider Directory -Container ./other -CreateContainer")]
    public void A_backup_of_a_store_among_those_of_this_machine_is_one_error_and_the_others_are_done(string command)
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Run($"Get-SHBackup | Send-SHBackup {One} -CreateContainer").WithoutErrors();

        var done = workspace.Run($"@(Get-SHBackup -Remote {One}) + @(Get-SHBackup) | {command}");

        Assert.StartsWith("InvalidArgument,", Assert.Single(done.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Single(done.Output);
    }

    [Theory]
    [InlineData("Test-SHBackup")]
    [InlineData("Restore-SHBackup -Destination ./new.db -Force")]
    public void A_file_of_this_machine_is_not_taken_for_its_copy(string command)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();

        var record = Assert.Single(workspace.Run($"{command} -LiteralPath $args[0] -Remote {One}", made.BackupPath).Errors);

        Assert.StartsWith("InvalidArgument,", record.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("-Remote", record.Exception.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(workspace["new.db"]));
    }

    [Theory]
    [InlineData("s3://bucket/machine")]
    [InlineData("nodrive:/x")]
    public void A_file_without_a_sidecar_is_tested_whatever_the_backup_directory_is(string directory)
    {
        using var workspace = new Workspace();
        File.Copy(workspace.MakeBackup().BackupPath, workspace["loose.db.zst"]);

        var tested = workspace.Run("Test-SHBackup -LiteralPath ./loose.db.zst -BackupDirectory $args[0]", directory);

        Assert.True(tested.WithoutErrors().As<BackupMetadata>().Single().Verified);
    }

    [Fact]
    public void A_drive_that_is_not_there_is_an_error_of_its_item_alone()
    {
        using var workspace = new Workspace();
        File.Copy(workspace.MakeBackup().BackupPath, workspace["loose.db.zst"]);

        var tested = workspace.Run("Test-SHBackup -LiteralPath nodrive:/x, ./loose.db.zst");

        Assert.StartsWith("InvalidArgument,", Assert.Single(tested.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.True(tested.As<BackupMetadata>().Single().Verified);
    }
}
