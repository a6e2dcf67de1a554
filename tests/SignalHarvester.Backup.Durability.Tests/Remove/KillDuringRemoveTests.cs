namespace SignalHarvester.Backup.Durability.Tests.Remove;

public sealed class KillDuringRemoveTests
{
    [Fact]
    public async Task A_killed_removal_leaves_whole_backups_and_the_next_change_finishes_it()
    {
        const int backups = 10;
        using var folder = new TempFolder();
        var source = Databases.Create(folder["app.db"], new DatabaseShape { Rows = 200 });
        var directory = folder.Folder("backups");
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        var backUp = $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | Out-Null";
        var listing = $"Get-SHBackup {to} | Test-SHBackup | ForEach-Object {{ \"$($_.Id) $($_.Verified)\" }}";
        using var checker = Shbackup.Start();
        await checker.AskAsync($"1..{backups} | ForEach-Object {{ {backUp} }}");
        var inTheMiddle = 0;

        for (var round = 0; round < 8; round++)
        {
            await checker.AskAsync($"(1..({backups} - @(Get-SHBackup {to}).Count)) | Where-Object {{ $_ -gt 0 }} | ForEach-Object {{ {backUp} }}");
            var before = Directory.GetFiles(directory, "*.json").Length;
            using var victim = Shbackup.Start();
            var point = round % 2 == 0
                ? new KillPoint(WatcherChangeTypes.Deleted, ".json", IsRandom: true)
                : new KillPoint(WatcherChangeTypes.Deleted, "_full.db.zst", IsRandom: true);
            await point.KillAsync(
                victim, $"Get-SHBackup {to} | Remove-SHBackup -Force | Out-Null", directory, TimeSpan.FromMilliseconds(60), new Random(round));

            string[] listed = [.. await checker.AskAsync(listing)];
            Assert.All(listed, line => Assert.EndsWith(" True", line, StringComparison.Ordinal));
            inTheMiddle += listed.Length > 0 && listed.Length < before ? 1 : 0;

            await checker.AskAsync(backUp);
            string[] after = [.. await checker.AskAsync(listing)];
            // One more than before, minus the one whose removal had begun, if it was still listed.
            Assert.InRange(after.Length, listed.Length, listed.Length + 1);
            Assert.All(after, line => Assert.EndsWith(" True", line, StringComparison.Ordinal));
            Assert.Equal(
                after.SelectMany(line => new[] { line.Split(' ')[0] + ".json", line.Split(' ')[0] + "_full.db.zst" }).Order(StringComparer.Ordinal),
                Directory.GetFiles(directory).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal));
            Assert.Empty(Directory.GetFiles(Path.Combine(directory, ".shbackup", "removing")));
        }

        Assert.True(inTheMiddle > 0, "no removal was killed in its middle");
    }
}
