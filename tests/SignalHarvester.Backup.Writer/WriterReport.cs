using System.Text.Json;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>What the writer did in one run. Latencies are of a whole transaction, in milliseconds.</summary>
public sealed record WriterReport(
    long Commits, double Seconds, double MedianMilliseconds, double P99Milliseconds, double MaxMilliseconds)
{
    /// <summary>The one line of JSON that the writer's process ends with.</summary>
    public string ToLine() => JsonSerializer.Serialize(this);

    public static WriterReport FromLine(string line) => JsonSerializer.Deserialize<WriterReport>(line)
        ?? throw new FormatException("The writer reported nothing.");
}
