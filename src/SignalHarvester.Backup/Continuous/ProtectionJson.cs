using System.Text.Json.Serialization;
using SignalHarvester.Backup.Continuous.Standby;

namespace SignalHarvester.Backup.Continuous;

/// <summary>Reads and writes the files of continuous protection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SavedPlace))]
[JsonSerializable(typeof(StandbyState))]
[JsonSerializable(typeof(BackupProtection))]
internal sealed partial class ProtectionJson : JsonSerializerContext;
