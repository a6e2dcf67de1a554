using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>
/// A backup directory with chains of two databases, made once for a class of tests and copied for each round. The image
/// of every backup is known from the database itself, hashed by SQLite's means when the backup was made.
/// <code>
/// app.db    F ─ I1 ─ I2      I1 and I2 from the log, the others by comparing pages
///           │   └─ J
///           └─ K
/// other.db  G ─ H
/// </code>
/// </summary>
public sealed class Chains : IAsyncLifetime
{
    private readonly TempFolder folder = new();
    private readonly Dictionary<string, string> ids = [];
    private readonly Dictionary<string, string> images = [];
    private int copies;

    /// <summary>A process for everything that is not killed.</summary>
    internal Shbackup Host { get; } = Shbackup.Start();

    /// <summary>The backups of the picture above.</summary>
    public IEnumerable<string> Names => ids.Keys;

    /// <summary>The ids of all backups.</summary>
    public IEnumerable<string> Ids => ids.Values;

    public async ValueTask InitializeAsync()
    {
        var app = folder["app.db"];
        using (var user = Databases.Open(app))
        {
            Databases.Execute(user, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
            Sample.AddBlobs(user, mebibytes: 1);
            await BackUpAsync("F", app, "-Type Full");
            await ChangeAsync(user, "I1", app, "-Type Wal");
            await ChangeAsync(user, "I2", app, "-Type Wal");
            await ChangeAsync(user, "J", app, $"-Type Incremental -Parent {ids["I1"]}");
            await ChangeAsync(user, "K", app, $"-Type Incremental -Parent {ids["F"]}");
        }

        var other = Databases.Create(folder["other.db"], new DatabaseShape { JournalMode = JournalMode.Delete });
        await BackUpAsync("G", other, "-Type Full");
        using (var user = Databases.Open(other))
        {
            Databases.Execute(user, "UPDATE customer SET name = name || '!' WHERE id = 3");
        }

        await BackUpAsync("H", other, "-Type Incremental");
        Databases.Create(folder["small.db"], new DatabaseShape { Rows = 5 });
    }

    /// <summary>The id of a backup of the picture above.</summary>
    public string Id(string name) => ids[name];

    /// <summary>The SHA-256 of a backup's image.</summary>
    public string Image(string name) => images[ids[name]];

    /// <summary>Ids as a PowerShell list.</summary>
    public string List(params string[] names) => string.Join(',', names.Select(name => Shbackup.Quote(ids[name])));

    /// <summary>Makes a fresh copy of the directory, in place of the previous one.</summary>
    public string Copy()
    {
        var copy = folder[$"copy {++copies}"];
        CopyFolder(folder["backups"], copy);
        if (copies > 1)
        {
            Directory.Delete(folder[$"copy {copies - 1}"], recursive: true);
        }

        return copy;
    }

    /// <summary>Restores each listed backup to exactly its image, and returns the ids.</summary>
    public async Task<IReadOnlyList<string>> RestoreAllAsync(string directory)
    {
        using var restored = new TempFolder();
        var listed = await Host.AskAsync(
            $"Get-SHBackup -BackupDirectory {Shbackup.Quote(directory)} | ForEach-Object {{ $b = $_; $null = $b | Restore-SHBackup -Destination ({Shbackup.Quote(restored.Path)} + '/' + $b.Id) -Force -NoVerify -NoSafetyBackup; $b.Id }}");
        foreach (var id in listed.Where(images.ContainsKey))
        {
            Assert.True(images[id] == Hash(restored[id]), $"{Name(id)} is not the image that it was made of");
        }

        return listed;
    }

    /// <summary>Makes a backup of another database, as the next scheduled run would, and removes it again.</summary>
    public async Task NextRunAsync(string directory)
    {
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        await Host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(folder["small.db"])} {to} | Remove-SHBackup -Force | Out-Null");
    }

    /// <summary>Checks that the directory has only the files of sidecars, the lock, the history and digests.</summary>
    public static void AssertClean(string directory)
    {
        AssertDescribed(directory);
        var state = Path.Combine(directory, ".shbackup");
        Assert.DoesNotContain(
            Directory.GetFiles(state, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(state, file)),
            file => file is not ("lock" or "history.db")
                && !(file.StartsWith("digests", StringComparison.Ordinal) && file.EndsWith(".pages", StringComparison.Ordinal)));
        Assert.Empty(Directory.GetDirectories(state, "shbackup-*", SearchOption.AllDirectories));
    }

    /// <summary>Checks that the directory has only sidecars, and for each the file that it describes.</summary>
    public static void AssertDescribed(string directory)
    {
        string[] files = [.. Directory.GetFiles(directory).Select(file => Path.GetFileName(file)!)];
        var described = files.Where(file => file.EndsWith(".json", StringComparison.Ordinal))
            .SelectMany(
                sidecar => new[] { sidecar, Path.GetFileName((string)JsonNode.Parse(File.ReadAllBytes(Path.Combine(directory, sidecar)))!["backup_path"]!) });
        Assert.Equal(described.Order(StringComparer.Ordinal), files.Order(StringComparer.Ordinal));
    }

    public string Name(string id) => ids.FirstOrDefault(entry => entry.Value == id).Key ?? id;

    public ValueTask DisposeAsync()
    {
        Host.Dispose();
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    public static string Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    public static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in Directory.GetDirectories(from))
        {
            CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    private async Task ChangeAsync(SqliteConnection user, string name, string path, string how)
    {
        var seed = ids.Count;
        Databases.Execute(user, string.Create(CultureInfo.InvariantCulture, $"""
            UPDATE noise SET content = randomblob(8000) WHERE id % 29 = {seed};
            INSERT INTO noise(content) VALUES (randomblob(20000));
            """));
        await BackUpAsync(name, path, how);
    }

    private async Task BackUpAsync(string name, string path, string how)
    {
        string[] made = [.. (await Host.AskAsync(
            $"New-SHBackup -LiteralPath {Shbackup.Quote(path)} -BackupDirectory {Shbackup.Quote(folder["backups"])} -RetentionPolicy Daily {how} | ForEach-Object {{ $_.Id; $_.Type }}"))];
        Assert.Contains($"-Type {made[1]}", how, StringComparison.Ordinal);
        ids.Add(name, made[0]);
        images.Add(made[0], ImageHash.Of(path));
    }
}
