using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Xunit;
using ZstdSharp;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class PredecessorBackupsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string> FormNames => [.. PredecessorBackups.Forms.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(FormNames))]
    public void Every_form_is_what_it_says(string name)
    {
        PredecessorForm form = PredecessorBackups.Forms[name];
        string database = Databases.CreateWithLeftWal(_folder["app.db"]);
        byte[] wal = File.ReadAllBytes(database + "-wal");
        string directory = _folder.Folder("backups");

        PredecessorBackup backup = new PredecessorBackups(directory).Add(database, form);

        byte[] stored = File.ReadAllBytes(backup.Path);
        byte[] content = Decompress(stored);
        Assert.Equal(backup.Checksum, Convert.ToHexStringLower(SHA256.HashData(content)));
        Assert.Equal(form.Sidecar, File.Exists(Path.Combine(directory, backup.Id + ".json")));
        Assert.Equal(form.Index, File.Exists(Path.Combine(directory, "backups.json")));
        if (form.Type == "wal")
        {
            Assert.Equal(wal, content);
        }
        else
        {
            File.WriteAllBytes(_folder["restored.db"], content);
            using SqliteConnection restored = Databases.Open(_folder["restored.db"]);
            Assert.Equal("1100", Databases.Scalar(restored, "SELECT count(*) FROM customer"));
        }

        foreach (JsonElement entry in Entries(directory, backup.Id))
        {
            Assert.Equal(backup.Id, entry.GetProperty("backup_id").GetString());
            Assert.Equal(stored.Length, entry.GetProperty("size_bytes").GetInt64());
            Assert.Equal("2025-11-10T02:00:00.123456" + form.Offset, entry.GetProperty("timestamp").GetString());
            Assert.Equal(form.Compression, entry.GetProperty("compression").GetString());
        }
    }

    [Fact]
    public void Two_backups_stand_in_one_index_and_never_under_one_id()
    {
        string database = Databases.Create(_folder["app.db"]);
        var backups = new PredecessorBackups(_folder.Path);
        var form = new PredecessorForm { MicrosecondsInId = false };
        backups.Add(database, form);
        backups.Add(database, form with { MicrosecondsInId = true });

        Assert.Throws<ArgumentException>(() => backups.Add(database, form with { Type = "incremental" }));
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(_folder["backups.json"]));
        Assert.Equal(2, index.RootElement.GetArrayLength());
    }

    private static IEnumerable<JsonElement> Entries(string directory, string id)
    {
        string sidecar = Path.Combine(directory, id + ".json");
        if (File.Exists(sidecar))
        {
            yield return JsonDocument.Parse(File.ReadAllText(sidecar)).RootElement;
        }

        string index = Path.Combine(directory, "backups.json");
        if (File.Exists(index))
        {
            yield return Assert.Single(JsonDocument.Parse(File.ReadAllText(index)).RootElement.EnumerateArray());
        }
    }

    private static byte[] Decompress(byte[] stored)
    {
        Stream stream = stored switch
        {
            [0x1f, 0x8b, ..] => new GZipStream(new MemoryStream(stored), CompressionMode.Decompress),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => new DecompressionStream(new MemoryStream(stored)),
            _ => new MemoryStream(stored),
        };
        using var content = new MemoryStream();
        using (stream)
        {
            stream.CopyTo(content);
        }

        return content.ToArray();
    }
}
