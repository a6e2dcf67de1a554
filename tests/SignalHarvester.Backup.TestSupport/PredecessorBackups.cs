using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ZstdSharp;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>A backup directory of the Python tool: files, sidecars and one backups.json.</summary>
public sealed class PredecessorBackups(string directory)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly JsonArray index = [];

    /// <summary>The known forms of the tool's backups, by names for theories.</summary>
    public static IReadOnlyDictionary<string, PredecessorForm> Forms { get; } = new Dictionary<string, PredecessorForm>
    {
        ["full"] = new() { SidecarVerified = true, IndexVerified = true },
        ["full gzip"] = new() { Compression = "gzip", SidecarVerified = true, IndexVerified = true },
        ["full zstd"] = new() { Compression = "zstd", SidecarVerified = true, IndexVerified = true },
        ["gzip labelled zstd"] = new() { Compression = "zstd", RealCompression = "gzip" },
        ["id without microseconds"] = new() { MicrosecondsInId = false, Compression = "gzip" },
        ["time with offset"] = new() { Offset = "+00:00" },
        ["sidecar only"] = new() { Index = false },
        ["backups.json only"] = new() { Sidecar = false, Compression = "zstd", IndexVerified = true },
        ["verified in backups.json only"] = new() { IndexVerified = true },
        ["moved directory"] = new() { StaleFolder = "/srv/old machine/backups" },
        ["incremental that is a full copy"] = new() { Type = "incremental", Compression = "zstd" },
        ["raw WAL"] = new() { Type = "wal" },
        ["raw WAL gzip"] = new() { Type = "wal", Compression = "gzip" },
        ["no retention policy"] = new() { RetentionPolicy = null },
    };

    /// <summary>Backs up a database as that tool did.</summary>
    /// <param name="databasePath">The database; for the type wal, one with a <c>-wal</c> that nobody has open.</param>
    /// <param name="form">One of <see cref="Forms"/>, or another.</param>
    /// <exception cref="ArgumentException">A backup of the same id is there: give the form another timestamp.</exception>
    public PredecessorBackup Add(string databasePath, PredecessorForm form)
    {
        var idFormat = form.MicrosecondsInId ? "yyyyMMdd_HHmmss_ffffff" : "yyyyMMdd_HHmmss";
        var id = "backup_" + form.Timestamp.ToString(idFormat, CultureInfo.InvariantCulture);
        var ending = form.Compression switch { "gzip" => ".gz", "zstd" => ".zst", _ => "" };
        var path = Path.Combine(directory, $"{id}_{form.Type}.db{ending}");
        if (Directory.EnumerateFiles(directory, id + "*").Any(file => IsOf(file, id)))
        {
            throw new ArgumentException($"There is a backup {id} already.", nameof(form));
        }

        var content = form.Type == "wal" ? File.ReadAllBytes(databasePath + "-wal") : Copy(databasePath);
        File.WriteAllBytes(path, Compress(content, form.RealCompression ?? form.Compression));
        var backup = new PredecessorBackup(
            id, path, form, Convert.ToHexStringLower(SHA256.HashData(content)), new FileInfo(path).Length);
        if (form.Sidecar)
        {
            WriteJson(id + ".json", Entry(backup, databasePath, form.SidecarVerified));
        }

        if (form.Index)
        {
            index.Add(Entry(backup, databasePath, form.IndexVerified));
            WriteJson("backups.json", index);
        }

        return backup;
    }

    private static bool IsOf(string file, string id)
    {
        var rest = Path.GetFileName(file)[id.Length..];
        return rest.StartsWith('.') || (rest.StartsWith('_') && !char.IsAsciiDigit(rest[1]));
    }

    private static JsonObject Entry(PredecessorBackup backup, string databasePath, bool verified)
    {
        var form = backup.Form;
        var folder = form.StaleFolder ?? Path.GetDirectoryName(backup.Path)!;
        return new JsonObject
        {
            ["backup_id"] = backup.Id,
            ["backup_type"] = form.Type,
            ["timestamp"] = Time(form.Timestamp, form.Offset),
            ["db_path"] = databasePath,
            ["backup_path"] = folder + Path.DirectorySeparatorChar + Path.GetFileName(backup.Path),
            ["compression"] = form.Compression,
            ["size_bytes"] = backup.Size,
            ["checksum"] = backup.Checksum,
            ["wal_checksum"] = form.Type == "wal" ? backup.Checksum : null,
            ["cloud_url"] = null,
            ["cloud_provider"] = null,
            ["retention_policy"] = form.RetentionPolicy,
            ["verified"] = verified,
            ["verification_timestamp"] = verified ? Time(form.Timestamp.AddSeconds(5), form.Offset) : null,
            ["description"] = "nächtlich",
            ["metadata"] = new JsonObject { ["host"] = "collector-1" },
        };
    }

    // Python's isoformat omits the fraction if it is zero.
    private static string Time(DateTime time, string offset)
    {
        var format = time.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyy-MM-ddTHH:mm:ss" : "yyyy-MM-ddTHH:mm:ss.ffffff";
        var local = offset.Length == 0
            ? time
            : time + DateTimeOffset.ParseExact("2000-01-01 " + offset, "yyyy-MM-dd zzz", CultureInfo.InvariantCulture).Offset;
        return local.ToString(format, CultureInfo.InvariantCulture) + offset;
    }

    private static byte[] Copy(string databasePath)
    {
        using var folder = new TempFolder(plain: true);
        using (var from = Databases.Open(databasePath))
        using (var to = Databases.Open(folder["copy.db"]))
        {
            from.BackupDatabase(to);
        }

        return File.ReadAllBytes(folder["copy.db"]);
    }

    private static byte[] Compress(byte[] content, string compression)
    {
        if (compression == "none")
        {
            return content;
        }

        using var compressed = new MemoryStream();
        using (Stream stream = compression == "gzip"
            ? new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true)
            : new CompressionStream(compressed, level: 3, leaveOpen: true))
        {
            stream.Write(content);
        }

        return compressed.ToArray();
    }

    // Python's json writes ASCII.
    private void WriteJson(string name, JsonNode node) => File.WriteAllText(
        Path.Combine(directory, name),
        Regex.Replace(node.ToJsonString(Json), "[^\x00-\x7f]", character => $"\\u{(int)character.Value[0]:x4}"));
}
