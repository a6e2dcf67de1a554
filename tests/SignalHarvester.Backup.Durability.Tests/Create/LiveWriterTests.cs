namespace SignalHarvester.Backup.Durability.Tests.Create;

public sealed class LiveWriterTests
{
    [Theory]
    [InlineData(JournalMode.Wal)]
    [InlineData(JournalMode.Delete)]
    public async Task Each_of_many_backups_under_writers_restores_to_one_of_their_commits(JournalMode mode)
    {
        const int backups = 10;
        using var folder = new TempFolder();
        var options = new WriterOptions
        {
            DatabasePath = folder["ledger.db"],
            Threads = 3,
            WalAutoCheckpoint = 1,
            JournalMode = mode,
            Accounts = 10_000,
        };
        var to = $"-BackupDirectory {Shbackup.Quote(folder.Folder("backups"))}";
        long first;
        long last;
        using (var writer = WriterProcess.Start(options))
        {
            first = writer.CommittedAtLeast;
            (await Shbackup.RunAsync($"1..{backups} | ForEach-Object {{ New-SHBackup -LiteralPath {Shbackup.Quote(options.DatabasePath)} {to} | Out-Null }}"))
                .EnsureSuccess();
            last = writer.CommittedAtMost;
            writer.Stop();
        }

        var restored = Shbackup.Quote(folder.Folder("restored"));
        (await Shbackup.RunAsync(
            $"Get-SHBackup {to} | ForEach-Object {{ $_ | Restore-SHBackup -Destination ({restored} + \"/$($_.Id).db\") -Force | Out-Null }}")).EnsureSuccess();

        string[] files = [.. Directory.GetFiles(folder["restored"], "*.db").Order(StringComparer.Ordinal)];
        Assert.Equal(backups, files.Length);
        var before = first;
        foreach (var file in files)
        {
            var commits = Invariant.Check(file, options.CommitJournalPath);
            Assert.InRange(commits, before, last);
            before = commits;
        }
    }
}
