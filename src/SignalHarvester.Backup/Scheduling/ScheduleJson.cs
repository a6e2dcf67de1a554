using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>Reads and writes the stored files of schedules.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ScheduleDefinition))]
[JsonSerializable(typeof(ScheduleState))]
internal sealed partial class ScheduleJson : JsonSerializerContext
{
    private static readonly ScheduleJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        IgnoreReadOnlyProperties = true,
        WriteIndented = true,
        // People and JSON parsers read it; nobody pastes it into HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    });

    public static string Write(ScheduleDefinition definition) => JsonSerializer.Serialize(definition, Readable.ScheduleDefinition);

    public static string Write(ScheduleState state) => JsonSerializer.Serialize(state, Readable.ScheduleState);

    /// <exception cref="JsonException">It is not a definition.</exception>
    public static ScheduleDefinition? ReadDefinition(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, Readable.ScheduleDefinition);

    /// <exception cref="JsonException">It is not a state.</exception>
    public static ScheduleState? ReadState(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, Readable.ScheduleState);
}
