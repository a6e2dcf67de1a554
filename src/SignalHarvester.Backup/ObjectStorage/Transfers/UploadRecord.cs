using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.ObjectStorage.Transfers;

/// <summary>An unfinished upload.</summary>
/// <param name="Sha256">The SHA-256 of the file.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="PartSize">The size of its parts in bytes.</param>
/// <param name="UploadId">The service's id of the upload.</param>
/// <param name="Storage">The storage settings of the object: see <see cref="StoreOptions.StorageFingerprint"/>. Its name in the journal is older.</param>
internal sealed record UploadRecord(string Sha256, long Length, long PartSize, string UploadId, [property: JsonPropertyName("keeping")] string Storage);

/// <summary>Reads and writes the records of transfers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(UploadRecord))]
internal sealed partial class TransferJson : JsonSerializerContext;
