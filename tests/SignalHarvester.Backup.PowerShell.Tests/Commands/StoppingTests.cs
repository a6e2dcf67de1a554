using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Ctrl+C during the work leaves nothing behind and changes nothing.</summary>
public class StoppingTests
{
    [Theory]
    [InlineData("-NoVerify", "Backing up")]
    [InlineData("", "Verifying")]
    public async Task A_stopped_backup_leaves_nothing(string parameters, string step)
    {
        using var workspace = Large();
        var output = await workspace.Session.StopAtAsync($"New-SHBackup large.db {parameters}", At(step));
        Assert.Empty(output);
        Assert.Empty(workspace.Listed());
        AssertTidy(workspace);
        Assert.DoesNotContain(Directory.EnumerateFiles(workspace.Backups), file => Path.GetFileName(file).StartsWith("backup_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stopped_test_records_nothing()
    {
        using var workspace = Large();
        var id = workspace.Run("New-SHBackup large.db -NoVerify").WithoutErrors().As<BackupMetadata>().Single().Id;
        var before = File.ReadAllText(workspace.SidecarOf(id));
        Assert.Empty(await workspace.Session.StopAtAsync("Get-SHBackup | Test-SHBackup", At("Verifying")));
        Assert.Equal(before, File.ReadAllText(workspace.SidecarOf(id)));
        AssertTidy(workspace);
    }

    [Fact]
    public async Task A_stopped_restore_leaves_the_target_as_it_was()
    {
        using var workspace = Large();
        workspace.Run("New-SHBackup large.db -NoVerify").WithoutErrors();
        var before = ImageHash.Of(workspace.Database);
        var listed = workspace.Listed();
        Assert.Empty(await workspace.Session.StopAtAsync("Get-SHBackup | Restore-SHBackup -Destination ./app.db -Force", At("Restoring")));
        Assert.Equal(before, ImageHash.Of(workspace.Database));
        Assert.Equal(listed, workspace.Listed());
        AssertTidy(workspace);
        Assert.Equal(
            ["app.db", "backups", "large.db"],
            Directory.EnumerateFileSystemEntries(workspace.Folder)
                .Select(path => Path.GetFileName(path))
                .Where(name => !name.Contains("-wal", StringComparison.Ordinal) && !name.Contains("-shm", StringComparison.Ordinal))
                .Order());
    }

    [Fact]
    public async Task The_session_works_on_after_a_stop()
    {
        using var workspace = Large();
        await workspace.Session.StopAtAsync("New-SHBackup large.db -NoVerify", At("Backing up"));
        Assert.True(workspace.MakeBackup().Verified);
        Assert.Single(workspace.Listed());
    }

    private static Workspace Large()
    {
        var workspace = new Workspace();
        Databases.CreateOverLockPage(workspace["large.db"]);
        return workspace;
    }

    private static Predicate<System.Management.Automation.ProgressRecord> At(string step) =>
        record => record.PercentComplete > 0 && record.Activity.StartsWith(step, StringComparison.Ordinal);

    private static void AssertTidy(Workspace workspace)
    {
        Assert.DoesNotContain(workspace.BackupFiles, file => file.EndsWith(".partial", StringComparison.Ordinal));
        var temporary = Path.Combine(workspace.Backups, ".shbackup", "tmp");
        Assert.False(
            Directory.Exists(temporary) && Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories).Any(file => new FileInfo(file).Length > 0));
    }
}
