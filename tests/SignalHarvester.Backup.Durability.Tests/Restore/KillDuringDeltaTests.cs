namespace SignalHarvester.Backup.Durability.Tests.Restore;

/// <summary>
/// Restores that write only the differing pages are killed at any moment: the target is the old database or the new one, whatever
/// its state was.
/// </summary>
public sealed class KillDuringDeltaTests(KillDuringDeltaTests.Places places, ITestOutputHelper output) : IClassFixture<KillDuringDeltaTests.Places>
{
    private static readonly KillPoint[] Points =
    [
        new(WatcherChangeTypes.Created, "log", IsRandom: true),
        new(WatcherChangeTypes.Renamed, "target.db-wal", IsRandom: false),
        new(WatcherChangeTypes.Changed, "target.db", IsRandom: true),
        new(WatcherChangeTypes.Renamed, "target.db-wal", IsRandom: true),
        new(WatcherChangeTypes.Changed, "log", IsRandom: false),
        new(WatcherChangeTypes.Created, "shbackup-*", IsRandom: true),
        new(WatcherChangeTypes.Deleted, "log", IsRandom: false),
    ];

    /// <param name="backedUp">The journal mode of the database in the backup.</param>
    /// <param name="target">The destination: its journal mode, and the files of a killed application.</param>
    /// <param name="first">The first point: together the cases cover all of them, more than once.</param>
    [Theory]
    [InlineData(JournalMode.Wal, "wal", 0)]
    [InlineData(JournalMode.Wal, "left wal", 3)]
    [InlineData(JournalMode.Delete, "delete", 6)]
    [InlineData(JournalMode.Delete, "hot journal", 2)]
    [InlineData(JournalMode.Wal, "hot journal", 5)]
    [InlineData(JournalMode.Delete, "left wal", 1)]
    public async Task A_killed_delta_restore_leaves_the_old_database_or_the_new_one(JournalMode backedUp, string target, int first)
    {
        var place = await places.GetAsync(backedUp, target);
        var old = 0;
        var wentThrough = 0;
        var victims = new Victims(kills: 3);
        await victims.KillAsync(
            [.. Points[first..], .. Points[..first]],
            () =>
            {
                place.Reset();
                return Task.FromResult((place.Folder, $"$null = {place.Restore}"));
            },
            async round =>
            {
                var content = Sample.Content(place.Target);
                Assert.Contains(content, (string[])[place.Before, place.After]);
                if (content == place.Before)
                {
                    old++;
                }
                else
                {
                    wentThrough++;
                }

                // The shell has applied the files beside it. Now the file alone must be one or the other, to the last page.
                place.AssertPages(content == place.Before);
                if (round % 3 == 0)
                {
                    await place.Host.AskAsync($"$null = {place.Restore}");
                    Assert.Equal(place.After, Sample.Content(place.Target));
                    place.AssertPages(isOld: false);
                    Assert.Equal(place.Target, Assert.Single(Directory.GetFileSystemEntries(place.Folder)));
                }
            });
        output.WriteLine($"{victims.Killed} killed under way, {victims.Ended} had ended; {old} left the old database, {wentThrough} the new one");
    }

    [Theory]
    [InlineData("wal", "SELECT count(*) FROM noise;", "")]
    [InlineData("wal", "BEGIN; SELECT count(*) FROM noise;", "COMMIT;")]
    [InlineData("wal", "BEGIN IMMEDIATE;", "COMMIT;")]
    [InlineData("delete", "BEGIN; SELECT count(*) FROM noise;", "COMMIT;")]
    [InlineData("delete", "BEGIN EXCLUSIVE;", "COMMIT;")]
    public async Task A_database_that_another_process_uses_is_refused_and_stays_as_it_is(string target, string use, string end)
    {
        var place = await places.GetAsync(target == "wal" ? JournalMode.Wal : JournalMode.Delete, target);
        using var application = new Application(place.Target, use);

        await place.Host.AskForErrorAsync("DestinationLocked", place.Restore + " -LockTimeout 1");

        Assert.Equal("1", application.Ask($"{end} UPDATE noise SET content = 'mine' WHERE id = 1; SELECT changes();"));
        Assert.Equal("mine", application.Ask("SELECT content FROM noise WHERE id = 1;"));
        Assert.Equal("ok", application.Ask("PRAGMA integrity_check;"));
        Assert.Empty(Directory.GetDirectories(place.Folder));
    }

    [Fact]
    public async Task An_idle_connection_in_rollback_journal_mode_wakes_up_to_the_restored_database()
    {
        var place = await places.GetAsync(JournalMode.Delete, "delete");
        using var application = new Application(place.Target, "SELECT count(*) FROM noise;");

        await place.Host.AskAsync($"$null = {place.Restore}");

        Assert.Equal(place.AfterRows, application.Ask("SELECT count(*) FROM noise;"));
        Assert.Equal("1", application.Ask("UPDATE noise SET content = 'mine' WHERE id = 1; SELECT changes();"));
        Assert.Equal("ok", application.Ask("PRAGMA integrity_check;"));
    }

    /// <summary>The sqlite3 shell with a database open.</summary>
    private sealed class Application : IDisposable
    {
        private readonly System.Diagnostics.Process process;

        public Application(string path, string use)
        {
            process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(Tool.Find("sqlite3")!, [path])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            Ask(use, expectError: true);
        }

        /// <summary>Runs statements, and returns the last line of the answer.</summary>
        public string Ask(string sql, bool expectError = false)
        {
            process.StandardInput.WriteLine(sql + "\nSELECT 'end of answer';");
            process.StandardInput.Flush();
            var last = "";
            while (process.StandardOutput.ReadLine() is { } line && line != "end of answer")
            {
                last = line;
            }

            Assert.True(expectError || last.Length > 0, "no answer to " + sql);
            return last;
        }

        public void Dispose()
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>One process and one place of each kind for all tests of the class.</summary>
    public sealed class Places : IDisposable
    {
        private readonly Dictionary<(JournalMode, string), Place> places = [];
        private readonly Shbackup host = Shbackup.Start();

        internal async Task<Place> GetAsync(JournalMode backedUp, string target)
        {
            if (!places.TryGetValue((backedUp, target), out var place))
            {
                place = await Place.CreateAsync(host, backedUp, target);
                places.Add((backedUp, target), place);
            }

            place.Reset();
            return place;
        }

        public void Dispose()
        {
            host.Dispose();
            foreach (var place in places.Values)
            {
                place.Dispose();
            }
        }
    }

    /// <summary>A target with one content, and a fully tested backup of another one that shares most pages with it.</summary>
    internal sealed class Place : IDisposable
    {
        private readonly TempFolder folder = new();
        private byte[] oldPages = [];
        private byte[] newPages = [];

        private Place(Shbackup host)
        {
            Host = host;
            Folder = folder.Folder("app");
        }

        public Shbackup Host { get; }

        public string Folder { get; }

        public string Target => Path.Combine(Folder, "target.db");

        public string Restore { get; private set; } = "";

        public string Before { get; private set; } = "";

        public string After { get; private set; } = "";

        public string AfterRows { get; private set; } = "";

        public static async Task<Place> CreateAsync(Shbackup host, JournalMode backedUp, string target)
        {
            var place = new Place(host);
            var source = place.folder["source.db"];
            Databases.Create(source, new DatabaseShape { JournalMode = backedUp, Rows = 500 });
            using (var user = Databases.Open(source))
            {
                Databases.Execute(user, "PRAGMA synchronous = OFF");
                Sample.AddBlobs(user, mebibytes: 3);
                place.AfterRows = Databases.Scalar(user, "SELECT count(*) FROM noise");
            }

            var to = $"-BackupDirectory {Shbackup.Quote(place.folder.Folder("backups"))}";
            var id = (await place.Host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | ForEach-Object Id")).Single();
            place.Restore = $"Restore-SHBackup {id} {to} -Destination {Shbackup.Quote(place.Target)} -Delta -Force -NoSafetyBackup";
            place.After = Sample.Content(source);
            place.newPages = Pages(source);
            place.Prepare(source, target);
            place.Reset();
            place.Before = Sample.Content(place.Target);
            place.oldPages = Pages(place.Target);
            return place;
        }

        /// <summary>Puts the old database there, in the state in which its application left it.</summary>
        public void Reset()
        {
            Directory.Delete(Folder, recursive: true);
            Chains.CopyFolder(folder["prepared"], Folder);
        }

        /// <summary>After SQLite has applied the files beside it, the file is the old or the new image, except for SQLite's counters on page 1.</summary>
        public void AssertPages(bool isOld) => Assert.True(Pages(Target).AsSpan().SequenceEqual(isOld ? oldPages : newPages), "pages of neither database");

        public void Dispose() => folder.Dispose();

        private static byte[] Pages(string path)
        {
            var pages = File.ReadAllBytes(path);
            foreach ((var start, var length) in ((int, int)[])[(18, 2), (24, 4), (92, 8)])
            {
                pages.AsSpan(start, length).Clear();
            }

            return pages;
        }

        private void Prepare(string source, string state)
        {
            var prepared = Path.Combine(folder.Folder("prepared"), "target.db");
            var making = folder["making.db"];
            File.Copy(source, making);
            using var user = Databases.Open(making);
            Databases.Execute(
                user,
                $"PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_mode = {(state.Contains("wal", StringComparison.Ordinal) ? "WAL" : "DELETE")}");

            // Pages in the middle, pages that the backup does not have, and a table that is not in it.
            Databases.Execute(
                user,
                "UPDATE noise SET content = randomblob(8100) WHERE id % 4 = 1; INSERT INTO noise(content) SELECT randomblob(8100) FROM noise LIMIT 100; CREATE TABLE later(x); INSERT INTO later VALUES (1)");
            if (state == "wal")
            {
                Databases.Scalar(user, "PRAGMA wal_checkpoint(TRUNCATE)");
            }
            else if (state == "hot journal")
            {
                Databases.Execute(
                    user, "PRAGMA cache_size = 5; PRAGMA synchronous = NORMAL; BEGIN; UPDATE noise SET content = randomblob(8000) WHERE id % 4 = 2");
            }

            foreach (var ending in (string[])["", "-wal", "-journal"])
            {
                if (File.Exists(making + ending))
                {
                    File.Copy(making + ending, prepared + ending);
                }
            }
        }
    }
}
