using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>A step's measured contestants, with the lookups for tables and lines.</summary>
internal sealed record StepResult(string Name, string Title, IReadOnlyList<ContestantResult> Contestants)
{
    /// <summary>The contestant to which the ratios refer, if it ran.</summary>
    [JsonIgnore]
    public ContestantResult? Baseline => Contestants.FirstOrDefault(c => c.IsBaseline);

    /// <summary>The names of the contestants' own numbers, in the order of their appearance.</summary>
    [JsonIgnore]
    public IEnumerable<string> ReportedNames =>
        Contestants.SelectMany(c => c.Samples).SelectMany(s => s.Reported.Keys).Distinct();

    /// <summary>The contestant of that name, unless --only left it out.</summary>
    public ContestantResult? this[string name] => Contestants.FirstOrDefault(c => c.Name == name);

    /// <summary>Median wall time over the baseline's.</summary>
    public double? WallRatio(ContestantResult? contestant) => contestant?.Wall?.Median / Baseline?.Wall?.Median;

    /// <summary>
    /// Median time inside the process over the baseline's. A baseline without one, a plain tool, counts as a whole.
    /// </summary>
    public double? InsideRatio(ContestantResult? contestant) =>
        contestant?.Inside?.Median / (Baseline?.Inside ?? Baseline?.Wall)?.Median;

    /// <summary>Median size of the output over the baseline's.</summary>
    public double? SizeRatio(ContestantResult? contestant) =>
        contestant?.OutputSize?.Median / Baseline?.OutputSize?.Median;
}
