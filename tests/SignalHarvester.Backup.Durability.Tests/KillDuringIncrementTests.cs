using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Durability.Tests;

/// <summary>Backups of changes that are killed, and the next one on top: never a wrong one, whatever the cache has become.</summary>
public sealed class KillDuringIncrementTests(ITestOutputHelper output)
{
    private static readonly KillPoint[] s_points =
    [
        new(WatcherChangeTypes.Created, ".wal.zst.partial", IsRandom: true),
        new(WatcherChangeTypes.Created, ".pages.partial", IsRandom: true),
        new(WatcherChangeTypes.Changed, ".pages.partial", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".pages", IsRandom: false),
        new(WatcherChangeTypes.Created, "publishing/*", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".wal.zst", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".json", IsRandom: true),
    ];

    [Theory]
    [InlineData("Incremental", JournalMode.Delete)]
    [InlineData("Incremental", JournalMode.Wal)]
    [InlineData("Wal", JournalMode.Wal)]
    public async Task A_killed_increment_is_whole_or_not_there_and_the_next_one_is_right(string type, JournalMode mode)
    {
        const int chain = 12;
        using var folder = new TempFolder();
        string source = folder["app.db"];
        using SqliteConnection user = Databases.Open(source);
        Databases.Execute(user, $"PRAGMA journal_mode = {mode}; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
        Sample.AddBlobs(user, mebibytes: 3);
        using var host = Shbackup.Start();
        string directory = "";
        int made = 0;
        int published = 0;
        int copy = 0;
        var images = new Dictionary<string, string>();
        string Command() => $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(directory)} -Type {type}";

        async Task<string> MakeAsync()
        {
            string[] lines = [.. await host.AskAsync(Command() + " | ForEach-Object Id")];
            images.Add(lines.Single(), ImageHash.Of(user));
            return lines[0];
        }

        var victims = new Victims(kills: 10);
        await victims.KillAsync(
            s_points,
            _ =>
            {
                if (made % chain == 0)
                {
                    directory = folder.Folder(string.Create(CultureInfo.InvariantCulture, $"backups {++copy}"));
                    images.Clear();
                    MakeAsync().GetAwaiter().GetResult();
                }

                made++;
                Edit(user, made);
                return (directory, Command() + " | Out-Null");
            },
            async round =>
            {
                string state = ImageHash.Of(user);
                string[] listed = [.. await host.AskAsync($"Get-SHBackup -BackupDirectory {Shbackup.Quote(directory)} | ForEach-Object Id")];
                foreach (string id in listed.Except(images.Keys))
                {
                    images.Add(id, state);
                    published++;
                }

                Harm(Path.Combine(directory, ".shbackup", "digests"), round);
                if (round % 3 != 0)
                {
                    Edit(user, -round);
                }

                string next = await MakeAsync();
                Chains.AssertClean(directory);
                if (made % chain == 0)
                {
                    await RestoreAsync(images.Keys);
                }
                else
                {
                    await RestoreAsync([next]);
                }
            });
        await RestoreAsync(images.Keys);
        output.WriteLine($"{victims.Killed} killed under way, {victims.Ended} had ended, {published} of them had published");

        async Task RestoreAsync(IEnumerable<string> ids)
        {
            string restored = folder.Folder("restored");
            foreach (string id in ids)
            {
                string target = Path.Combine(restored, id);
                await host.AskAsync($"$null = Restore-SHBackup {id} -BackupDirectory {Shbackup.Quote(directory)} -Destination {Shbackup.Quote(target)} -Force -NoVerify -NoSafetyBackup");
                Assert.Equal(images[id], Chains.Hash(target));
            }

            Directory.Delete(restored, recursive: true);
        }
    }

    private static void Edit(SqliteConnection user, int seed)
    {
        Databases.Execute(user, string.Create(CultureInfo.InvariantCulture, $"UPDATE noise SET content = randomblob(8000) WHERE (id * 7919) % 61 = {Math.Abs(seed) % 61}"));
        if (seed % 5 == 0)
        {
            Databases.Execute(user, seed % 2 == 0 ? "INSERT INTO noise(content) VALUES (randomblob(100000))" : "DELETE FROM noise WHERE id > 350; PRAGMA incremental_vacuum; CREATE TABLE IF NOT EXISTS more(x)");
        }

        if (seed % 7 == 0)
        {
            // The next increment cannot come from the log.
            Databases.Scalar(user, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
    }

    /// <summary>What a power failure, a full disk or a tidy administrator leave of a cache.</summary>
    private static void Harm(string digests, int round)
    {
        string[] files = [.. Directory.GetFiles(digests, "*.pages").Order(StringComparer.Ordinal)];
        if (files.Length == 0)
        {
            return;
        }

        string newest = files[^1];
        switch (round % 6)
        {
            case 0:
                File.Delete(newest);
                break;
            case 1:
                // Its length is there, its end is not: what a file system makes of a file that was never flushed.
                using (FileStream file = File.Open(newest, FileMode.Open))
                {
                    long length = file.Length;
                    file.SetLength(length / 2);
                    file.SetLength(length);
                }

                break;
            case 2:
                byte[] bytes = File.ReadAllBytes(newest);
                bytes[^20] ^= 1;
                File.WriteAllBytes(newest, bytes);
                break;
            case 3 when files.Length > 1:
                // Digests of an earlier image under the newer one's name, its header included.
                byte[] stale = File.ReadAllBytes(files[0]);
                byte[] now = File.ReadAllBytes(newest);
                stale.AsSpan(96, Math.Min(stale.Length, now.Length) - 96).CopyTo(now.AsSpan(96));
                File.WriteAllBytes(newest, now);
                break;
        }
    }
}
