using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>A bucket of the fake.</summary>
internal sealed class FakeGcsBucket
{
    public SortedDictionary<string, FakeGcsObject> Objects { get; } = new(StringComparer.Ordinal);

    /// <summary>The settings with which it was made.</summary>
    public JsonObject Settings { get; init; } = [];

    public bool HasObjectRetention { get; set; }

    public bool HasVersioning { get; set; }

    public TimeSpan SoftDelete { get; set; }
}

/// <summary>One version of an object of the fake.</summary>
internal sealed record FakeGcsObject(string Bucket, string Name, long Generation, byte[] Content, JsonObject Metadata, string? KmsKey)
{
    public DateTimeOffset Created { get; } = DateTimeOffset.UtcNow;

    public string Crc32C { get; } = Crc32COf(Content);

#pragma warning disable CA5351 // The real service states the MD5 of each object, so its fake does too.
    public string Md5 { get; } = Convert.ToBase64String(MD5.HashData(Content));
#pragma warning restore CA5351

    public JsonObject Resource()
    {
        var resource = Metadata.DeepClone().AsObject();
        resource["kind"] = "storage#object";
        resource["id"] = $"{Bucket}/{Name}/{Generation}";
        resource["name"] = Name;
        resource["bucket"] = Bucket;
        resource["generation"] = $"{Generation}";
        resource["metageneration"] = "1";
        resource["size"] = $"{Content.Length}";
        resource["crc32c"] = Crc32C;
        resource["md5Hash"] = Md5;
        resource["timeCreated"] = Created;
        resource["updated"] = Created;
        resource["storageClass"] ??= "STANDARD";
        if (KmsKey is not null)
        {
            resource["kmsKeyName"] = $"{KmsKey}/cryptoKeyVersions/1";
        }

        return resource;
    }

    // Bit by bit and by the book, because comparing the client's own code with itself would prove nothing.
    private static string Crc32COf(byte[] content)
    {
        var table = new uint[256];
        for (uint index = 0; index < table.Length; index++)
        {
            var value = index;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0x82F63B78;
            }

            table[index] = value;
        }

        var crc = uint.MaxValue;
        foreach (var octet in content)
        {
            crc = table[(byte)(crc ^ octet)] ^ (crc >> 8);
        }

        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, ~crc);
        return Convert.ToBase64String(bytes);
    }
}

/// <summary>A resumable session of the fake.</summary>
internal sealed class FakeGcsSession(string bucket, JsonObject metadata, IReadOnlyDictionary<string, string> query, long? length)
{
    public string Bucket => bucket;

    public JsonObject Metadata => metadata;

    /// <summary>Its parameters from the beginning. Its conditions are checked against the bucket when it ends.</summary>
    public IReadOnlyDictionary<string, string> Query => query;

    /// <summary>The announced size.</summary>
    public long? Length => length;

    public MemoryStream Persisted { get; } = new();

    public FakeGcsObject? Made { get; set; }

    public bool IsCancelled { get; set; }
}

/// <summary>A request to the fake.</summary>
/// <param name="Method">Its method.</param>
/// <param name="Path">Its path, still escaped.</param>
/// <param name="Query">Its parameters.</param>
/// <param name="Headers">Its headers.</param>
/// <param name="Body">Its body.</param>
internal sealed record FakeGcsRequest(
    string Method, string Path, IReadOnlyDictionary<string, string> Query, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public bool IsChunk => Method == "PUT" && Query.ContainsKey("upload_id") && Body.Length > 0;

    public bool IsStatusQuery => Method == "PUT" && Query.ContainsKey("upload_id") && Body.Length == 0;

    public bool IsMedia => Query.GetValueOrDefault("alt") == "media";

    public bool HasToken => Headers.ContainsKey("Authorization");

    /// <summary>Returns the first and last byte of a chunk and the size of the object, from Content-Range.</summary>
    public (long First, long Last, long Total)? ChunkRange()
    {
        var match = System.Text.RegularExpressions.Regex.Match(Headers.GetValueOrDefault("Content-Range") ?? string.Empty, @"^bytes (\d+)-(\d+)/(\d+)$");
        return match.Success ? (Number(1), Number(2), Number(3)) : null;

        long Number(int group) => long.Parse(match.Groups[group].Value, System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>An answer of the fake.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Body">Its body.</param>
internal sealed record FakeGcsAnswer(int Status, byte[] Body)
{
    public Dictionary<string, string> Headers { get; init; } = [];

    /// <summary>The number of bytes of the body after which the connection breaks; null if it does not.</summary>
    public int? BreaksAfter { get; init; }

    /// <summary>Whether the client has received what was sent before the connection breaks.</summary>
    public Func<bool> HasArrived { get; init; } = () => true;

    public static FakeGcsAnswer Json(JsonNode body, int status = 200) => new(status, System.Text.Encoding.UTF8.GetBytes(body.ToJsonString()))
    {
        Headers = { ["Content-Type"] = "application/json; charset=UTF-8" },
    };

    /// <summary>Makes an error in the documented form.</summary>
    public static FakeGcsAnswer Error(int status, string reason, string message) => Json(
        new JsonObject
        {
            ["error"] = new JsonObject
            {
                ["code"] = status,
                ["message"] = message,
                ["errors"] = new JsonArray(new JsonObject { ["message"] = message, ["domain"] = "global", ["reason"] = reason }),
            },
        },
        status);
}
