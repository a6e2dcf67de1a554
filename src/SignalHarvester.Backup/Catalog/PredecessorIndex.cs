using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The predecessor's <c>backups.json</c>: one array of the same objects as in the sidecars. It serves backups without a
/// sidecar, and older versions that recorded only there that a backup was verified.
/// </summary>
internal sealed class PredecessorIndex
{
    private const string FileName = "backups.json";
    private const int LargestBytes = 256 << 20;

    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string path;
    private readonly JsonArray entries;
    private readonly Dictionary<string, JsonNode> byId = new(StringComparer.Ordinal);

    private PredecessorIndex(string path, JsonArray entries)
    {
        this.path = path;
        this.entries = entries;
        foreach (var entry in entries)
        {
            if (IdOf(entry) is { } id)
            {
                byId[id] = entry!;
            }
        }
    }

    /// <summary>Reads the index of a directory; null if there is none.</summary>
    /// <exception cref="BackupException">SidecarInvalid.</exception>
    public static PredecessorIndex? Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        var info = new FileInfo(path);
        if (!info.Exists || info.LinkTarget is not null)
        {
            return null;
        }

        try
        {
            if (info.Length > LargestBytes)
            {
                throw new JsonException("it is too large for an index");
            }

            return JsonNode.Parse(
                RegularFile.ReadAllBytes(path, LargestBytes), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) is JsonArray array
                ? new PredecessorIndex(path, array)
                : throw new JsonException("it is not a JSON array");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.SidecarInvalid, path,
                $"The predecessor's index '{path}' cannot be used: {exception.Message.TrimEnd('.')}. Backups with a sidecar are still listed; correct or delete the index.",
                exception);
        }
    }

    /// <summary>The ids in the index; invalid ones are left out.</summary>
    public IEnumerable<string> Ids => byId.Keys;

    /// <summary>Returns the JSON of one entry; null if there is none.</summary>
    public byte[]? Entry(string id) =>
        byId.TryGetValue(id, out var found) ? JsonSerializer.SerializeToUtf8Bytes(found) : null;

    /// <summary>Writes the index without one entry.</summary>
    public void Remove(string id)
    {
        var gone = entries.Where(entry => IdOf(entry) == id).ToList();
        if (gone.Count == 0)
        {
            return;
        }

        gone.ForEach(entry => entries.Remove(entry));
        DurableFile.WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(entries.ToJsonString(Written) + "\n"));
    }

    private static string? IdOf(JsonNode? entry) =>
        entry is JsonObject map && map["backup_id"] is JsonValue value && value.TryGetValue<string>(out var id) && BackupFileName.IsId(id) ? id : null;
}
