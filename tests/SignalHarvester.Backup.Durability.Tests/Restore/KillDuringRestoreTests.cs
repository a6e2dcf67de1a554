using System.Diagnostics;

namespace SignalHarvester.Backup.Durability.Tests.Restore;

public sealed class KillDuringRestoreTests(ITestOutputHelper output)
{
    // Each point once, and one at random once more.
    private const int Kills = 6;

    // Mostly during the copying, when a rollback journal or the log is hot.
    private static readonly Dictionary<JournalMode, KillPoint[]> Overwrite = new()
    {
        [JournalMode.Wal] =
        [
            new(WatcherChangeTypes.Changed, "target.db-wal", IsRandom: true),
            new(WatcherChangeTypes.Changed, "target.db-wal", IsRandom: false),
            new(WatcherChangeTypes.Changed, "target.db", IsRandom: false),
            new(WatcherChangeTypes.Created, "shbackup-*", IsRandom: true),
        ],
        [JournalMode.Delete] =
        [
            new(WatcherChangeTypes.Created, "-journal", IsRandom: true),
            new(WatcherChangeTypes.Changed, "target.db", IsRandom: false),
            new(WatcherChangeTypes.Changed, "target.db", IsRandom: true),
            new(WatcherChangeTypes.Created, "shbackup-*", IsRandom: true),
        ],
    };

    private static readonly KillPoint[] Swap =
    [
        new(WatcherChangeTypes.Created, "shbackup-*", IsRandom: true),
        new(WatcherChangeTypes.Renamed, "target.db", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".damaged-*", IsRandom: false),
        new(WatcherChangeTypes.Created, "shbackup-*", IsRandom: false),
        new(WatcherChangeTypes.Created, "damaged", IsRandom: false),
    ];

    [Theory]
    [InlineData(JournalMode.Wal, false)]
    [InlineData(JournalMode.Wal, true)]
    [InlineData(JournalMode.Delete, false)]
    [InlineData(JournalMode.Delete, true)]
    public async Task A_killed_restore_leaves_the_old_database_or_the_new_one(JournalMode mode, bool inUse)
    {
        using var place = await Place.CreateAsync(mode);
        await place.RestoreAsync(0);
        using var user = inUse ? Databases.Open(place.Target) : null;
        var state = 0;
        var wentThrough = 0;

        var killed = await place.KillAsync(Overwrite[mode], round => 1 - state, async () =>
        {
            // The application that has it open sees the same as any other process.
            var seen = user is null ? null : Databases.Scalar(user, "SELECT count(*) FROM noise");
            var content = Sample.Content(place.Target);
            var now = Array.IndexOf(place.Contents, content);
            Assert.True(now >= 0, "neither the old database nor the new one");
            if (seen is not null)
            {
                Assert.Equal(place.Rows[now], seen);
            }

            if (now != state)
            {
                wentThrough++;
                Assert.Equal(place.Contents[state], await place.NewestSafetyContentAsync());
                state = now;
            }
        });

        output.WriteLine($"{killed} killed under way, {wentThrough} runs had come through");
        Assert.Equal(Kills, killed);
        await place.RestoreAsync(1 - state);
        Assert.Equal(place.Contents[1 - state], Sample.Content(place.Target));
        Assert.InRange((await place.SafetyFilesAsync()).Count, 1, 3);
        place.AssertSwept();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_killed_restore_of_a_missing_or_dead_file_leaves_it_as_it_was_or_the_new_database(bool dead)
    {
        using var place = await Place.CreateAsync(JournalMode.Wal);
        var garbage = new byte[3_000_000];
        new Random(1).NextBytes(garbage);
        void Reset()
        {
            foreach (var file in Directory.GetFiles(place.Folder))
            {
                File.Delete(file);
            }

            if (dead)
            {
                File.WriteAllBytes(place.Target, garbage);
            }
        }

        Reset();
        var wentThrough = 0;
        var killed = await place.KillAsync(Swap, round => round % 2, () =>
        {
            var raw = Directory.GetFiles(place.Folder, "*.damaged-*");
            if (!File.Exists(place.Target))
            {
                Assert.False(dead, "the dead file is gone, and nothing came in its place");
            }
            else if (!dead || !File.ReadAllBytes(place.Target).AsSpan().SequenceEqual(garbage))
            {
                wentThrough++;
                Assert.Contains(Sample.Content(place.Target), place.Contents);
                Assert.Equal(dead, raw.Any(file => File.ReadAllBytes(file).AsSpan().SequenceEqual(garbage)));
            }

            Assert.All(raw, file => Assert.Equal(garbage, File.ReadAllBytes(file)));
            Reset();
            return Task.CompletedTask;
        });

        output.WriteLine($"{killed} killed under way, {wentThrough} runs had come through");
        Assert.Equal(Kills, killed);
        await place.RestoreAsync(1);
        Assert.Equal(place.Contents[1], Sample.Content(place.Target));
        place.AssertSwept();
    }

    /// <summary>A target and two backups to restore there, each larger than SQLite's page cache.</summary>
    private sealed class Place : IDisposable
    {
        private readonly TempFolder folder = new();
        private readonly Shbackup checker = Shbackup.Start();
        private readonly string[] ids = new string[2];
        private string to = "";
        private TimeSpan span;

        public string Folder { get; private set; } = "";

        public string Target => Path.Combine(Folder, "target.db");

        public string[] Contents { get; } = new string[2];

        public string[] Rows { get; } = new string[2];

        public static async Task<Place> CreateAsync(JournalMode mode)
        {
            var place = new Place();
            place.Folder = place.folder.Folder("app");
            place.to = $"-BackupDirectory {Shbackup.Quote(place.folder.Folder("backups"))}";
            for (var i = 0; i < 2; i++)
            {
                var source = Sample.Create(place.folder[$"source{i}.db"], mode, mebibytes: 6 + 2 * i);
                place.Contents[i] = Sample.Content(source);
                using (var connection = Databases.Open(source))
                {
                    place.Rows[i] = Databases.Scalar(connection, "SELECT count(*) FROM noise");
                }

                place.ids[i] = (await place.checker.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {place.to} | ForEach-Object Id")).Single();
            }

            await place.RestoreAsync(1);
            var began = Stopwatch.GetTimestamp();
            await place.RestoreAsync(0);
            place.span = Stopwatch.GetElapsedTime(began) / 2;
            return place;
        }

        public Task<IReadOnlyList<string>> RestoreAsync(int which) => checker.AskAsync(Command(which));

        /// <summary>Kills restores at the points in turn until enough of them were under way, looking after each.</summary>
        public async Task<int> KillAsync(KillPoint[] points, Func<int, int> which, Func<Task> look)
        {
            var killed = 0;
            var victim = Shbackup.Start();
            for (var round = 0; killed < Kills && round < 4 * Kills; round++)
            {
                var reserve = Shbackup.Start();
                using (victim)
                {
                    killed += await points[round % points.Length].KillAsync(victim, Command(which(round)), Folder, span, new Random(round)) ? 1 : 0;
                }

                victim = reserve;
                await look();
            }

            victim.Dispose();
            return killed;
        }

        /// <summary>Returns the files of the safety backups, newest first, each after a full test.</summary>
        public async Task<IReadOnlyList<string>> SafetyFilesAsync(int newest = int.MaxValue) =>
            await checker.AskAsync(
                $"(Get-SHBackup {to}).Where({{ $_.IsSafety }}, 'First', {newest}) | Test-SHBackup -ErrorAction Stop | ForEach-Object BackupPath");

        /// <summary>Returns the content of the newest safety backup.</summary>
        public async Task<string> NewestSafetyContentAsync()
        {
            var image = folder["safety.db"];
            var file = (await SafetyFilesAsync(newest: 1)).Single();
            Tool.Require("zstd").Run("-q", "-d", "-f", file, "-o", image).EnsureSuccess();
            return Sample.Content(image);
        }

        /// <summary>Checks that, after a run that was not killed, no file of the killed ones is left beside the target.</summary>
        public void AssertSwept()
        {
            Assert.Empty(Directory.GetDirectories(Folder));
            Assert.DoesNotContain(Directory.GetFiles(Folder), file => file.EndsWith("-journal", StringComparison.Ordinal));
        }

        public void Dispose()
        {
            checker.Dispose();
            folder.Dispose();
        }

        private string Command(int which) =>
            $"$null = Restore-SHBackup {ids[which]} {to} -Destination {Shbackup.Quote(Target)} -Force";
    }
}
