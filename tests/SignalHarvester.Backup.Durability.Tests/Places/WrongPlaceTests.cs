namespace SignalHarvester.Backup.Durability.Tests.Places;

public sealed class WrongPlaceTests
{
    [Theory]
    [InlineData("{0}/{1}_full.db.zst")]
    [InlineData("{0}/{1}.json")]
    [InlineData("{0}/.shbackup/lock")]
    public async Task A_restore_never_overwrites_what_makes_up_a_backup_directory(string destination)
    {
        using var folder = new TempFolder();
        var source = Databases.Create(folder["app.db"]);
        var directory = folder.Folder("backups");
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        using var host = Shbackup.Start();
        var id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id")).Single();
        var path = string.Format(System.Globalization.CultureInfo.InvariantCulture, destination, directory, id);

        await host.AskForErrorAsync("DestinationInvalid", $"Restore-SHBackup {id} {to} -Destination {Shbackup.Quote(path)} -Force");

        Assert.Equal([id], await host.AskAsync($"Get-SHBackup {to} | Test-SHBackup | ForEach-Object Id"));
    }

    [Theory]
    [InlineData("New-SHBackup -LiteralPath {0} -BackupDirectory {0}")]
    [InlineData("Get-SHBackup -BackupDirectory {0}")]
    public async Task A_file_as_backup_directory_is_refused_by_name(string command)
    {
        using var folder = new TempFolder();
        var source = Databases.Create(folder["app.db"]);
        using var host = Shbackup.Start();

        var error = await host.AskForErrorAsync(
            "DirectoryNotFound", string.Format(System.Globalization.CultureInfo.InvariantCulture, command, Shbackup.Quote(source)));

        Assert.Contains("is a file", error, StringComparison.Ordinal);
    }
}
