using System.Text.Json;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>The writer's report on one run. Latencies are those of whole transactions, in milliseconds.</summary>
public sealed record WriterReport(
    long Commits, double Seconds, double MedianMilliseconds, double P99Milliseconds, double MaxMilliseconds)
{
    /// <summary>Returns the one line of JSON with which the writer's process ends.</summary>
    public string ToLine() => JsonSerializer.Serialize(this);

    public static WriterReport FromLine(string line) => JsonSerializer.Deserialize<WriterReport>(line)
        ?? throw new FormatException("The writer reported nothing.");
}
