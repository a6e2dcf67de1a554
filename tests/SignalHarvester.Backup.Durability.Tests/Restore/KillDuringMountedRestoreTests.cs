namespace SignalHarvester.Backup.Durability.Tests.Restore;

/// <summary>
/// Restores into a damaged file that must stay the same file: they write a log with the whole image, which SQLite applies. Killed
/// between any two of their steps, they leave the damaged file, which the next restore repairs, or the restored database, which the
/// next opening completes. The former files are kept in both cases.
/// </summary>
public sealed class KillDuringMountedRestoreTests(ITestOutputHelper output) : IDisposable
{
    private const string Rows = "3000";

    private static readonly byte[] Damaged = [.. Enumerable.Repeat((byte)'x', 300_000)];

    private readonly TempFolder folder = new();
    private Shbackup? host;
    private string id = "";
    private bool isMounted;
    private int places;

    private string Inside => folder[$"inside{places}", "app.db"];

    private string Outside => folder[$"outside{places}.db"];

    private string To => $"-BackupDirectory {Shbackup.Quote(folder["backups"])}";

    private string Command => $"$null = Restore-SHBackup {id} {To} -Destination {Shbackup.Quote(Inside)} -Force -AllowHardLink -WarningAction SilentlyContinue";

    public void Dispose()
    {
        host?.Dispose();
        Unmount();
        folder.Dispose();
    }

    /// <summary>Not at random, so that it covers every state that such a restore can leave behind.</summary>
    [Theory]
    [InlineData("rename", true)]
    [InlineData("unlink", true)]
    [InlineData("rename", false)]
    [InlineData("unlink", false)]
    [InlineData("f(data)?sync", false)]
    public async Task One_that_is_killed_before_any_one_of_its_changes_is_completed_by_the_next_to_come(string call, bool isMounted)
    {
        await BeginAsync();
        var killed = 0;
        var restored = 0;
        for (var hasEnded = false; !hasEnded;)
        {
            Prepare(isMounted);
            using (var victim = Shbackup.Start())
            {
                await victim.AskAsync($"Get-SHBackup {To} | Out-Null");
                using var trap = await KilledBeforeCall.AttachAsync(victim, call, killed + 1);
                var ended = victim.SendAsync(Command);
                await Task.WhenAny(ended);
                hasEnded = ended.IsCompletedSuccessfully;
                killed += hasEnded ? 0 : 1;
                victim.Kill();
            }

            restored += await LookAsync() ? 1 : 0;
        }

        output.WriteLine($"killed before each of {killed}; {restored} left the restored database");
        Assert.InRange(killed, 2, 60);
        Assert.InRange(restored, 1, killed + 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_is_killed_while_SQLite_works_its_log_in_is_completed_by_the_next_to_come(bool isMounted)
    {
        await BeginAsync();
        KillPoint[] points =
        [
            new(WatcherChangeTypes.Changed, ".db", IsRandom: false),
            new(WatcherChangeTypes.Renamed, "app.db-wal", IsRandom: false),
            new(WatcherChangeTypes.Changed, ".db", IsRandom: true),
            new(WatcherChangeTypes.Renamed, "app.db-wal", IsRandom: true),
        ];
        var restored = 0;
        var victims = new Victims(kills: 6);
        await victims.KillAsync(
            points,
            () =>
            {
                Prepare(isMounted);
                return Task.FromResult((folder.Path, Command));
            },
            async _ => restored += await LookAsync() ? 1 : 0);
        output.WriteLine($"{victims.Killed} killed under way, {victims.Ended} had ended; {restored} left the restored database");
    }

    private async Task BeginAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux mounts a single file");
        var source = Databases.Create(folder["source.db"], new DatabaseShape { Rows = int.Parse(Rows, System.Globalization.CultureInfo.InvariantCulture) });
        host = Shbackup.Start();
        id = (await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {To} | ForEach-Object Id")).Single();
    }

    /// <summary>Makes a damaged file with two names, of which one is a mount or a hard link in another folder, with a dead log beside it.</summary>
    private void Prepare(bool isMounted)
    {
        Unmount();
        places++;
        File.WriteAllBytes(Outside, Damaged);
        Directory.CreateDirectory(Path.GetDirectoryName(Inside)!);
        if (isMounted)
        {
            File.WriteAllBytes(Inside, []);
            var made = Tool.Require("mount").Run("--bind", Outside, Inside);
            Assert.SkipUnless(made.ExitCode == 0, $"may not mount a file: {made.Error.Trim()}");
            this.isMounted = true;
        }
        else
        {
            Tool.Require("ln").Run(Outside, Inside).EnsureSuccess();
        }

        File.WriteAllText(Inside + "-journal", "journal");
    }

    private void Unmount()
    {
        if (isMounted)
        {
            Tool.Require("umount").Run("-l", Inside).EnsureSuccess();
            isMounted = false;
        }
    }

    /// <summary>Whether the next opening finds the restored database.</summary>
    private async Task<bool> LookAsync()
    {
        var isTouched = !File.ReadAllBytes(Inside).AsSpan().SequenceEqual(Damaged) || new FileInfo(Inside + "-wal") is { Exists: true, Length: > 0 };
        if (isTouched)
        {
            Assert.Contains(Kept(), file => File.ReadAllBytes(file).AsSpan().SequenceEqual(Damaged));
            Assert.Equal(
                [Rows, "ok"], Tool.Require("sqlite3").Run(Inside, "SELECT count(*) FROM customer; PRAGMA integrity_check;").EnsureSuccess().Output.Split(
                    '\n', StringSplitOptions.RemoveEmptyEntries));
        }

        await host!.AskAsync(Command);
        Assert.Equal([Rows, "ok"], Tool.Require("sqlite3").Run(Outside, "SELECT count(*) FROM customer; PRAGMA integrity_check;").EnsureSuccess().Output.Split(
            '\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(Kept(), file => File.ReadAllBytes(file).AsSpan().SequenceEqual(Damaged));
        Assert.Empty(Directory.GetDirectories(Path.GetDirectoryName(Inside)!));
        Assert.Equal(
            [], [.. Directory.GetFiles(Path.GetDirectoryName(Inside)!).Where(file => file != Inside && !file.Contains(".damaged-", StringComparison.Ordinal))]);
        return isTouched;
    }

    private IEnumerable<string> Kept() =>
        Directory.EnumerateFiles(Path.GetDirectoryName(Inside)!, "app.db.damaged-*").Where(file => !file.EndsWith("-journal", StringComparison.Ordinal));
}
