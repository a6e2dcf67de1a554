namespace SignalHarvester.Backup.Durability.Tests.Places;

public sealed class CopiedDirectoryTests
{
    [Fact]
    public async Task A_copied_directory_lists_verifies_and_restores_without_its_state_folder()
    {
        using var folder = new TempFolder();
        var source = Databases.CreateWithLeftWal(folder["app.db"]);
        var content = Sample.Content(source);
        var directory = folder["backups"];
        var copy = folder["copy"];
        using var host = Shbackup.Start();
        var ids = string.Join(',', await host.AskAsync(
            $"1..3 | ForEach-Object {{ New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(directory)} | ForEach-Object Id }}"));
        Tool.Require("cp").Run("-r", directory, copy).EnsureSuccess();
        Directory.Delete(Path.Combine(copy, ".shbackup"), recursive: true);
        Directory.Delete(directory, recursive: true);
        var to = $"-BackupDirectory {Shbackup.Quote(copy)}";

        Assert.Equal(ids, string.Join(',', (await host.AskAsync($"Get-SHBackup {to} | Test-SHBackup | Where-Object Verified | ForEach-Object Id")).Reverse()));
        await host.AskAsync($"Get-SHBackup {to} -Newest 1 | Restore-SHBackup -Destination {Shbackup.Quote(folder["restored.db"])} -Force | Out-Null");

        Assert.Equal(content, Sample.Content(folder["restored.db"]));
    }
}
