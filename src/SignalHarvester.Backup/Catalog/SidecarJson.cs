using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.Catalog;

/// <summary>Reads and writes sidecars without reflection: a directory may hold ten thousand.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SidecarFields))]
internal sealed partial class SidecarJson : JsonSerializerContext
{
    /// <summary>The rules for our files: two of a name are an error, and text stays readable.</summary>
    public static SidecarJson Strict { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        // Read by people and by JSON parsers, never pasted into HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
