using System.Diagnostics;
using System.Security.Cryptography;

namespace SignalHarvester.Backup.Durability.Tests.Create;

public sealed class KillDuringBackupTests(ITestOutputHelper output)
{
    // Each point once, and the random ones once more: at the others the second kill would find the same as the first.
    private const int KillsAMode = 11;

    private static readonly KillPoint[] Points =
    [
        new(WatcherChangeTypes.Created, ".partial", IsRandom: true),
        new(WatcherChangeTypes.Created, ".partial", IsRandom: true),
        new(WatcherChangeTypes.Created, ".partial", IsRandom: true),
        new(WatcherChangeTypes.Created, ".partial", IsRandom: false),
        new(WatcherChangeTypes.Renamed, "_full.db.zst", IsRandom: false),
        new(WatcherChangeTypes.Created, ".json.partial", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".json", IsRandom: false),
        new(WatcherChangeTypes.Created, "shbackup-*", IsRandom: false),
    ];

    [Theory]
    [InlineData(JournalMode.Wal)]
    [InlineData(JournalMode.Delete)]
    public async Task A_killed_backup_leaves_nothing_but_what_the_next_run_removes(JournalMode mode)
    {
        using var folder = new TempFolder();
        var source = Sample.Create(folder["app.db"], mode, mebibytes: 8);
        var small = Databases.Create(folder["small.db"]);
        var directory = folder.Folder("backups");
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        var backUp = $"$null = New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to}";
        var next = $"New-SHBackup -LiteralPath {Shbackup.Quote(small)} {to} | ForEach-Object Id";
        using var checker = Shbackup.Start();
        var kept = (await checker.AskAsync(next)).Single();
        var keptFile = Path.Combine(directory, kept + "_full.db.zst");
        var keptBytes = await File.ReadAllBytesAsync(keptFile, TestContext.Current.CancellationToken);
        var began = Stopwatch.GetTimestamp();
        await checker.AskAsync(backUp);
        var span = Stopwatch.GetElapsedTime(began);
        await checker.AskAsync($"Get-SHBackup {to} -Database app.db -Newest 1 | Remove-SHBackup -Force | Out-Null");
        var content = Sample.Content(source);
        var sourceBytes = Hash(source);

        var killed = 0;
        var published = 0;
        var victim = Shbackup.Start();
        for (var round = 0; killed < KillsAMode && round < 3 * KillsAMode; round++)
        {
            var reserve = Shbackup.Start();
            using (victim)
            {
                killed += await Points[round % Points.Length].KillAsync(victim, backUp, directory, span, new Random(round)) ? 1 : 0;
            }

            victim = reserve;
            Assert.InRange(Directory.GetFiles(directory, "*.partial").Length, 0, 1);

            string[] listed =
            [
                .. await checker.AskAsync($"Get-SHBackup {to} | Test-SHBackup | ForEach-Object {{ \"$($_.Id) $($_.Verified) $($_.VerificationLevel)\" }}"),
            ];
            Assert.All(listed, line => Assert.EndsWith(" True Full", line, StringComparison.Ordinal));
            Assert.Contains(kept + " True Full", listed);
            Assert.InRange(listed.Length, 1, 2);
            published += listed.Length - 1;
            Assert.Equal(keptBytes, await File.ReadAllBytesAsync(keptFile, TestContext.Current.CancellationToken));
            Assert.Equal(sourceBytes, Hash(source));

            // The next run, of another database, completes or deletes the unfinished work.
            var another = (await checker.AskAsync(next)).Single();
            string[] after = [.. await checker.AskAsync($"Get-SHBackup {to} | Where-Object Id -ne '{kept}' | Test-SHBackup -Level Quick | ForEach-Object Id")];
            Assert.Contains(another, after);
            Assert.InRange(after.Length, listed.Length, 2);
            await checker.AskAsync($"Get-SHBackup {to} | Where-Object Id -ne '{kept}' | Remove-SHBackup -Force | Out-Null");
            AssertOnly(directory, kept);
        }

        victim.Dispose();
        output.WriteLine($"{killed} killed under way, {published} of them had published");
        Assert.Equal(KillsAMode, killed);
        Assert.Equal(content, Sample.Content(source));
    }

    private static byte[] Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return SHA256.HashData(stream);
    }

    private static void AssertOnly(string directory, string id)
    {
        Assert.Equal([id + ".json", id + "_full.db.zst"], Directory.GetFiles(directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        string[] state =
        [
            .. Directory.GetFiles(Path.Combine(directory, ".shbackup"), "*", SearchOption.AllDirectories).Select(file => Path.GetFileName(file)!),
        ];
        Assert.DoesNotContain(state, name => name is not ("lock" or "history.db") && !name.EndsWith(".pages", StringComparison.Ordinal));
        Assert.Empty(Directory.GetDirectories(Path.Combine(directory, ".shbackup", "tmp")));
    }
}
