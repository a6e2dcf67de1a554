using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>Cloud Storage's description of an object. Numbers arrive as texts.</summary>
internal sealed record GcsObject
{
    /// <summary>The requested fields; a listing has them below items.</summary>
    public const string Fields = "name,size,generation,timeCreated,crc32c,metadata";

    public required string Name { get; init; }

    public long Size { get; init; }

    public long Generation { get; init; }

    public DateTimeOffset TimeCreated { get; init; }

    /// <summary>Big-endian, in base64.</summary>
    [JsonPropertyName("crc32c")]
    public string? Crc32C { get; init; }

    public Dictionary<string, string>? Metadata { get; init; }
}

/// <summary>The attributes of a new object.</summary>
internal sealed record GcsNewObject(string Name, string ContentType, Dictionary<string, string> Metadata)
{
    public string? StorageClass { get; init; }

    [JsonPropertyName("crc32c")]
    public string? Crc32C { get; init; }

    public GcsRetention? Retention { get; init; }
}

/// <summary>The lock of an object: until when nobody may delete or overwrite it.</summary>
internal sealed record GcsRetention(string Mode, DateTimeOffset RetainUntilTime);

/// <summary>A page of a listing.</summary>
internal sealed record GcsPage(IReadOnlyList<GcsObject>? Items, string? NextPageToken);

/// <summary>What a bucket does with deleted objects.</summary>
internal sealed record GcsBucket(GcsVersioning? Versioning, GcsSoftDeletePolicy? SoftDeletePolicy)
{
    /// <summary>The requested fields.</summary>
    public const string Fields = "versioning,softDeletePolicy";

    /// <summary>Whether a deleted object can be restored.</summary>
    [JsonIgnore]
    public bool KeepsDeleted => Versioning is { Enabled: true } || SoftDeletePolicy is { RetentionDurationSeconds: > 0 };
}

/// <summary>Whether older versions are kept.</summary>
internal sealed record GcsVersioning(bool Enabled);

/// <summary>How long deleted objects are kept.</summary>
internal sealed record GcsSoftDeletePolicy(long RetentionDurationSeconds);

/// <summary>A bucket to make.</summary>
internal sealed record GcsNewBucket(string Name, string? Location, GcsBucketRights IamConfiguration);

/// <summary>Who may access a bucket's objects.</summary>
internal sealed record GcsBucketRights(GcsUniformAccess UniformBucketLevelAccess, string PublicAccessPrevention);

/// <summary>Whether access is granted only for the whole bucket, not for single objects.</summary>
internal sealed record GcsUniformAccess(bool Enabled);

/// <summary>The body of an error.</summary>
internal sealed record GcsErrorBody(GcsError? Error);

/// <summary>An error.</summary>
internal sealed record GcsError(string? Message, IReadOnlyList<GcsErrorDetail>? Errors);

/// <summary>One cause of an error.</summary>
internal sealed record GcsErrorDetail(string? Reason);

/// <summary>Reads and writes the bodies of the JSON API.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowReadingFromString,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GcsObject))]
[JsonSerializable(typeof(GcsNewObject))]
[JsonSerializable(typeof(GcsPage))]
[JsonSerializable(typeof(GcsBucket))]
[JsonSerializable(typeof(GcsNewBucket))]
[JsonSerializable(typeof(GcsErrorBody))]
internal sealed partial class GcsJson : JsonSerializerContext;
