using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.Continuous;

/// <summary>Reads and writes the files of continuous protection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SavedPlace))]
[JsonSerializable(typeof(BackupProtection))]
internal sealed partial class ProtectionJson : JsonSerializerContext;
