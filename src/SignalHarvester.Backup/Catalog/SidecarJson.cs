using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.Catalog;

/// <summary>Reads and writes sidecars without reflection: a directory may hold ten thousand.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SidecarFields))]
internal sealed partial class SidecarJson : JsonSerializerContext
{
    /// <summary>The rules for our files: a repeated name is an error, and text stays readable.</summary>
    public static SidecarJson Strict { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        // People and JSON parsers read it; nobody pastes it into HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
