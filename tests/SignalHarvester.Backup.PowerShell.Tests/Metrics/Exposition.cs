using System.Globalization;

namespace SignalHarvester.Backup.PowerShell.Tests.Metrics;

/// <summary>Parsed metrics in Prometheus' text format.</summary>
internal sealed class Exposition
{
    private readonly Dictionary<string, double> samples;

    /// <summary>Parses a text.</summary>
    public Exposition(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Types = lines.Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .ToDictionary(words => words[2], words => words[3]);
        samples = lines.Where(line => !line.StartsWith('#')).ToDictionary(
            line => line[..line.LastIndexOf(' ')],
            line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>The kind of each metric.</summary>
    public IReadOnlyDictionary<string, string> Types { get; }

    /// <summary>All samples, by name and labels in their written form.</summary>
    public IReadOnlyDictionary<string, double> Samples => samples;

    /// <summary>The value of one sample; fails the test if it is missing.</summary>
    public double this[string sample] =>
        samples.TryGetValue(sample, out var value) ? value : throw new Xunit.Sdk.XunitException($"There is no {sample} in:\n{string.Join('\n', samples.Keys)}");
}
