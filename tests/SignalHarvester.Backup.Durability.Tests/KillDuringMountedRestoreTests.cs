namespace SignalHarvester.Backup.Durability.Tests;

/// <summary>
/// Restores into a damaged file that must stay the same file, as a log with the whole image that SQLite works in, killed between
/// any two of their steps: what is there afterwards is the damaged file, which the next restore brings back, or the restored
/// database, which the next to open it completes. What was there is kept in both.
/// </summary>
public sealed class KillDuringMountedRestoreTests(ITestOutputHelper output) : IDisposable
{
    private const string Rows = "3000";

    private static readonly byte[] s_damaged = [.. Enumerable.Repeat((byte)'x', 300_000)];

    private readonly TempFolder _folder = new();
    private Shbackup? _host;
    private string _id = "";
    private bool _isMounted;
    private int _places;

    private string Inside => _folder[$"inside{_places}", "app.db"];

    private string Outside => _folder[$"outside{_places}.db"];

    private string To => $"-BackupDirectory {Shbackup.Quote(_folder["backups"])}";

    private string Command => $"$null = Restore-SHBackup {_id} {To} -Destination {Shbackup.Quote(Inside)} -Force -AllowHardLink -WarningAction SilentlyContinue";

    public void Dispose()
    {
        _host?.Dispose();
        Unmount();
        _folder.Dispose();
    }

    /// <summary>Not at random: nothing that such a restore can leave behind is left out.</summary>
    [Theory]
    [InlineData("rename", true)]
    [InlineData("unlink", true)]
    [InlineData("rename", false)]
    [InlineData("unlink", false)]
    [InlineData("f(data)?sync", false)]
    public async Task One_that_is_killed_before_any_one_of_its_changes_is_completed_by_the_next_to_come(string call, bool isMounted)
    {
        await BeginAsync();
        int killed = 0;
        int restored = 0;
        for (bool hasEnded = false; !hasEnded;)
        {
            Prepare(isMounted);
            using (var victim = Shbackup.Start())
            {
                await victim.AskAsync($"Get-SHBackup {To} | Out-Null");
                using KilledBeforeCall trap = await KilledBeforeCall.AttachAsync(victim, call, killed + 1);
                Task<IReadOnlyList<string>> ended = victim.SendAsync(Command);
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
        int restored = 0;
        var victims = new Victims(kills: 6);
        await victims.KillAsync(
            points,
            () =>
            {
                Prepare(isMounted);
                return Task.FromResult((_folder.Path, Command));
            },
            async _ => restored += await LookAsync() ? 1 : 0);
        output.WriteLine($"{victims.Killed} killed under way, {victims.Ended} had ended; {restored} left the restored database");
    }

    private async Task BeginAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux mounts a single file");
        string source = Databases.Create(_folder["source.db"], new DatabaseShape { Rows = int.Parse(Rows, System.Globalization.CultureInfo.InvariantCulture) });
        _host = Shbackup.Start();
        _id = (await _host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {To} | ForEach-Object Id")).Single();
    }

    /// <summary>A damaged file of two names, of which one is a mount or a hard link in another folder, with a dead log beside it.</summary>
    private void Prepare(bool isMounted)
    {
        Unmount();
        _places++;
        File.WriteAllBytes(Outside, s_damaged);
        Directory.CreateDirectory(Path.GetDirectoryName(Inside)!);
        if (isMounted)
        {
            File.WriteAllBytes(Inside, []);
            ToolResult made = Tool.Require("mount").Run("--bind", Outside, Inside);
            Assert.SkipUnless(made.ExitCode == 0, $"may not mount a file: {made.Error.Trim()}");
            _isMounted = true;
        }
        else
        {
            Tool.Require("ln").Run(Outside, Inside).EnsureSuccess();
        }

        File.WriteAllText(Inside + "-journal", "journal");
    }

    private void Unmount()
    {
        if (_isMounted)
        {
            Tool.Require("umount").Run("-l", Inside).EnsureSuccess();
            _isMounted = false;
        }
    }

    /// <summary>Whether the restored database is there, for whoever opens it next.</summary>
    private async Task<bool> LookAsync()
    {
        bool isTouched = !File.ReadAllBytes(Inside).AsSpan().SequenceEqual(s_damaged) || new FileInfo(Inside + "-wal") is { Exists: true, Length: > 0 };
        if (isTouched)
        {
            Assert.Contains(Kept(), file => File.ReadAllBytes(file).AsSpan().SequenceEqual(s_damaged));
            Assert.Equal([Rows, "ok"], Tool.Require("sqlite3").Run(Inside, "SELECT count(*) FROM customer; PRAGMA integrity_check;").EnsureSuccess().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }

        await _host!.AskAsync(Command);
        Assert.Equal([Rows, "ok"], Tool.Require("sqlite3").Run(Outside, "SELECT count(*) FROM customer; PRAGMA integrity_check;").EnsureSuccess().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(Kept(), file => File.ReadAllBytes(file).AsSpan().SequenceEqual(s_damaged));
        Assert.Empty(Directory.GetDirectories(Path.GetDirectoryName(Inside)!));
        Assert.Equal([], [.. Directory.GetFiles(Path.GetDirectoryName(Inside)!).Where(file => file != Inside && !file.Contains(".damaged-", StringComparison.Ordinal))]);
        return isTouched;
    }

    private IEnumerable<string> Kept() => Directory.EnumerateFiles(Path.GetDirectoryName(Inside)!, "app.db.damaged-*").Where(file => !file.EndsWith("-journal", StringComparison.Ordinal));
}
