namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>All runs of one contestant, or why there are none.</summary>
internal sealed class ContestantResult(Contestant contestant)
{
    private readonly List<Sample> samples = [];

    public string Name => contestant.Name;

    public bool IsBaseline => contestant.IsBaseline;

    /// <summary>Why it was left out; null if it ran.</summary>
    public string? Skipped => contestant.Missing;

    /// <summary>Why it failed; its samples do not count then.</summary>
    public string? Failed { get; set; }

    public IReadOnlyList<Sample> Samples => samples;

    public Spread? Wall => SpreadOf(s => s.Wall);

    public Spread? Inside => SpreadOf(s => s.Inside);

    /// <summary>Processor time, user and kernel together.</summary>
    public Spread? Cpu => SpreadOf(s => s.User + s.Kernel);

    public Spread? PeakMemory => SpreadOf(s => s.PeakMemory);

    public Spread? OutputSize => SpreadOf(s => s.OutputSize);

    public Spread? Reported(string name) =>
        SpreadOf(s => s.Reported.TryGetValue(name, out var value) ? value : null);

    public void Add(Sample sample) => samples.Add(sample);

    private Spread? SpreadOf(Func<Sample, double?> value) =>
        Failed is null ? Spread.Of(samples.Select(value)) : null;
}
