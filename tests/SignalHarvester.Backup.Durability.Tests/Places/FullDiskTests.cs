namespace SignalHarvester.Backup.Durability.Tests.Places;

public sealed class FullDiskTests
{
    [Theory]
    [InlineData("-Compression None", 1)]
    [InlineData("", 6)]
    [InlineData("-NoVerify", 6)]
    [InlineData("-NoVerify -Compression Gzip", 6)]
    public async Task A_backup_that_does_not_fit_leaves_the_directory_as_it_was(string options, int room)
    {
        using var folder = new TempFolder();
        var directory = folder.Folder("disk");
        var small = Databases.Create(folder["small.db"]);
        var source = Sample.Create(folder["app.db"], JournalMode.Wal, mebibytes: 8);
        using var disk = new Mount(directory, room);
        using var host = Shbackup.Start();
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        var kept = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(small)} {to} | ForEach-Object Id")).Single();
        string[] before = [.. Directory.GetFiles(directory).Order(StringComparer.Ordinal)];

        await host.AskForErrorAsync("InsufficientSpace", $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} {options}");

        Assert.Equal(before, Directory.GetFiles(directory).Order(StringComparer.Ordinal));
        Assert.Equal([kept + " True"], await host.AskAsync($"Get-SHBackup {to} | Test-SHBackup | ForEach-Object {{ \"$($_.Id) $($_.Verified)\" }}"));
        Assert.Empty(Directory.GetFiles(directory, "*.partial", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(JournalMode.Wal, 7)]
    [InlineData(JournalMode.Delete, 7)]
    [InlineData(JournalMode.Wal, 14)]
    [InlineData(JournalMode.Delete, 14)]
    public async Task A_restore_that_does_not_fit_leaves_the_target_as_it_was(JournalMode mode, int room)
    {
        using var folder = new TempFolder();
        var disk = folder.Folder("disk");
        var source = Sample.Create(folder["app.db"], mode, mebibytes: 8);
        var to = $"-BackupDirectory {Shbackup.Quote(folder.Folder("backups"))}";
        using var mounted = new Mount(disk, room);
        var target = Path.Combine(disk, "target.db");
        Databases.Create(target, new DatabaseShape { JournalMode = mode, Rows = 9000 });
        var before = Sample.Content(target);
        using var host = Shbackup.Start();
        var id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id")).Single();

        await host.AskForErrorAsync("InsufficientSpace", $"Restore-SHBackup {id} {to} -Destination {Shbackup.Quote(target)} -Force");

        Assert.Equal(before, Sample.Content(target));
        Assert.Empty(Directory.GetDirectories(disk));
    }

    [Theory]
    [InlineData("", "InsufficientSpace")]
    [InlineData("| Restore-SHBackup -Force -Destination ./restored.db", "InsufficientSpace")]
    public async Task A_download_that_does_not_fit_lists_nothing_and_goes_on_where_there_is_room(string then, string errorId)
    {
        using var folder = new TempFolder();
        var source = Sample.Create(folder["app.db"], JournalMode.Wal, mebibytes: 8);
        var there = $"-Provider Directory -Container {Shbackup.Quote(folder.Folder("offsite"))}";
        var directory = folder.Folder("disk");
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        using var host = Shbackup.Start();
        var from = $"-BackupDirectory {Shbackup.Quote(folder.Folder("backups"))}";
        var id = (await host.AskAsync(
            $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {from} -Compression None | Send-SHBackup {there} | ForEach-Object Id")).Single();
        var receive = then.Length == 0 ? $"Receive-SHBackup {id} {there} {to}" : $"Get-SHBackup {id} -Remote {there} {then} {to}";
        using (new Mount(directory, mebibytes: 6))
        {
            await host.AskForErrorAsync(errorId, receive);

            Assert.Empty(await host.AskAsync($"Get-SHBackup {to} | ForEach-Object Id"));
        }

        Assert.Equal([id], await host.AskAsync($"{receive} | ForEach-Object Id"));
    }
}
