using System.Text.Json;
using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.Bench.Reporting;

/// <summary>All results of one run of the bench.</summary>
internal sealed record Report(
    DateTimeOffset Time, Machine Machine, long DatabaseSize, int Runs, IReadOnlyList<StepResult> Steps, IReadOnlyList<Line> Lines)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Writes the JSON to the path, and the markdown beside it.</summary>
    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, JsonSerializer.Serialize(this, Format) + "\n");
        File.WriteAllText(Path.ChangeExtension(path, ".md"), Markdown.Of(this));
    }
}
