using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Durability.Tests.Create;

/// <summary>Incremental backups that are killed, and the next one on top: it is never wrong, whatever state the cache has.</summary>
public sealed class KillDuringIncrementTests(ITestOutputHelper output)
{
    private static readonly KillPoint[] Points =
    [
        new(WatcherChangeTypes.Created, ".wal.zst.partial", IsRandom: true),
        new(WatcherChangeTypes.Created, ".pages.partial", IsRandom: true),
        new(WatcherChangeTypes.Changed, ".pages.partial", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".pages", IsRandom: false),
        new(WatcherChangeTypes.Created, "publishing/*", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".wal.zst", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".json", IsRandom: true),
    ];

    /// <param name="type">The type of the backups. Without a verification, only the proof of the cache prevents a wrong backup.</param>
    /// <param name="mode">The journal mode of the database.</param>
    /// <param name="first">The first point: together the cases cover all of them, more than once.</param>
    [Theory]
    [InlineData("Incremental -NoVerify", JournalMode.Delete, 0)]
    [InlineData("Incremental", JournalMode.Wal, 5)]
    [InlineData("Wal", JournalMode.Wal, 3)]
    public async Task A_killed_increment_is_whole_or_not_there_and_the_next_one_is_right(string type, JournalMode mode, int first)
    {
        using var folder = new TempFolder();
        var source = folder["app.db"];
        using var user = Databases.Open(source);
        Databases.Execute(user, $"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = {mode}; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
        Sample.AddBlobs(user, mebibytes: 2);
        using var host = Shbackup.Start();
        var to = $"-BackupDirectory {Shbackup.Quote(folder["backups"])}";
        var backUp = $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} -Type {type}";
        var images = new Dictionary<string, string>();
        var atKill = "";
        var edits = 0;
        var published = 0;
        var rolledForward = 0;

        async Task<string> MakeAsync()
        {
            var id = (await host.AskAsync(backUp + " | ForEach-Object Id")).Single();
            images.Add(id, ImageHash.Of(user));
            return id;
        }

        async Task<string[]> UnknownAsync() => [.. (await host.AskAsync($"Get-SHBackup {to} | ForEach-Object Id")).Except(images.Keys)];

        await MakeAsync();
        var victims = new Victims(kills: 5);
        await victims.KillAsync(
            [.. Points[first..], .. Points[..first]],
            () =>
            {
                Edit(user, ++edits);
                atKill = ImageHash.Of(user);
                return Task.FromResult((folder["backups"], backUp + " | Out-Null"));
            },
            async round =>
            {
                var listed = await UnknownAsync();
                Harm(folder["backups", ".shbackup", "digests"], round);
                if (round % 3 != 0)
                {
                    Edit(user, ++edits);
                }

                // The next holder of the lock publishes the sidecar of a killed run if its file was complete: this backup appears now, and has the
                // database as the killed run saw it.
                var next = await MakeAsync();
                var now = await UnknownAsync();
                Assert.InRange(now.Length, listed.Length, 1);
                Assert.Empty(listed.Except(now));
                published += listed.Length;
                rolledForward += now.Length - listed.Length;
                foreach (var id in now)
                {
                    images.Add(id, atKill);
                }

                Chains.AssertClean(folder["backups"]);
                await RestoreAsync([next, .. now]);
            });
        await RestoreAsync(images.Keys);
        output.WriteLine($"{victims.Killed} killed under way, {victims.Ended} had ended; {published} were published, {rolledForward} were by the next run");

        async Task RestoreAsync(IEnumerable<string> ids)
        {
            var restored = folder.Folder("restored");
            foreach (var id in ids)
            {
                var target = Path.Combine(restored, id);
                await host.AskAsync($"$null = Restore-SHBackup {id} {to} -Destination {Shbackup.Quote(target)} -Force -NoVerify -NoSafetyBackup");
                Assert.Equal(images[id], Chains.Hash(target));
            }

            Directory.Delete(restored, recursive: true);
        }
    }

    private static void Edit(SqliteConnection user, int seed)
    {
        Databases.Execute(
            user, string.Create(CultureInfo.InvariantCulture, $"UPDATE noise SET content = randomblob(8000) WHERE (id * 7919) % 61 = {Math.Abs(seed) % 61}"));
        if (seed % 5 == 0)
        {
            Databases.Execute(user, seed % 2 == 0
                ? "INSERT INTO noise(content) VALUES (randomblob(100000))"
                : "DELETE FROM noise WHERE id > 240; PRAGMA incremental_vacuum; CREATE TABLE IF NOT EXISTS more(x)");
        }

        if (seed % 7 == 0)
        {
            // The next increment cannot come from the log.
            Databases.Scalar(user, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    /// <summary>Damages a cache like a power failure, a full disk or a tidy administrator.</summary>
    private static void Harm(string digests, int round)
    {
        string[] files = [.. Directory.GetFiles(digests, "*.pages").Order(StringComparer.Ordinal)];
        if (files.Length == 0)
        {
            return;
        }

        var newest = files[^1];
        switch (round % 6)
        {
            case 0:
                File.Delete(newest);
                break;
            case 1:
                // Its length is right, but its end is missing: the work of a file system with a file that was never flushed.
                using (var file = File.Open(newest, FileMode.Open))
                {
                    var length = file.Length;
                    file.SetLength(length / 2);
                    file.SetLength(length);
                }

                break;
            case 2:
                var bytes = File.ReadAllBytes(newest);
                bytes[^20] ^= 1;
                File.WriteAllBytes(newest, bytes);
                break;
            case 3 when files.Length > 1:
                // Digests of an earlier image under the newer one's name, including its header.
                var stale = File.ReadAllBytes(files[0]);
                var now = File.ReadAllBytes(newest);
                stale.AsSpan(96, Math.Min(stale.Length, now.Length) - 96).CopyTo(now.AsSpan(96));
                File.WriteAllBytes(newest, now);
                break;
        }
    }
}
