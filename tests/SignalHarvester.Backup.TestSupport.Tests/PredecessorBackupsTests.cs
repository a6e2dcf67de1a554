using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Xunit;
using ZstdSharp;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class PredecessorBackupsTests : IDisposable
{
    private readonly TempFolder folder = new();

    public static TheoryData<string> FormNames => [.. PredecessorBackups.Forms.Keys];

    public void Dispose() => folder.Dispose();

    [Theory]
    [MemberData(nameof(FormNames))]
    public void Every_form_is_what_it_says(string name)
    {
        var form = PredecessorBackups.Forms[name];
        var database = Databases.CreateWithLeftWal(folder["app.db"]);
        var wal = File.ReadAllBytes(database + "-wal");
        var directory = folder.Folder("backups");

        var backup = new PredecessorBackups(directory).Add(database, form);

        var stored = File.ReadAllBytes(backup.Path);
        var content = Decompress(stored);
        Assert.Equal(backup.Checksum, Convert.ToHexStringLower(SHA256.HashData(content)));
        Assert.Equal(form.Sidecar, File.Exists(Path.Combine(directory, backup.Id + ".json")));
        Assert.Equal(form.Index, File.Exists(Path.Combine(directory, "backups.json")));
        if (form.Type == "wal")
        {
            Assert.Equal(wal, content);
        }
        else
        {
            File.WriteAllBytes(folder["restored.db"], content);
            using var restored = Databases.Open(folder["restored.db"]);
            Assert.Equal("1100", Databases.Scalar(restored, "SELECT count(*) FROM customer"));
        }

        foreach (var entry in Entries(directory, backup.Id))
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
        var database = Databases.Create(folder["app.db"]);
        var backups = new PredecessorBackups(folder.Path);
        var form = new PredecessorForm { MicrosecondsInId = false };
        backups.Add(database, form);
        backups.Add(database, form with { MicrosecondsInId = true });

        Assert.Throws<ArgumentException>(() => backups.Add(database, form with { Type = "incremental" }));
        using var index = JsonDocument.Parse(File.ReadAllText(folder["backups.json"]));
        Assert.Equal(2, index.RootElement.GetArrayLength());
    }

    private static IEnumerable<JsonElement> Entries(string directory, string id)
    {
        var sidecar = Path.Combine(directory, id + ".json");
        if (File.Exists(sidecar))
        {
            yield return JsonDocument.Parse(File.ReadAllText(sidecar)).RootElement;
        }

        var index = Path.Combine(directory, "backups.json");
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
