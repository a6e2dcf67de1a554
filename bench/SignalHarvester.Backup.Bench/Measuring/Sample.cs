using System.Text.Json.Serialization;

namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>The measurement of one run of one contestant. Times are seconds, sizes bytes; null is "not measured".</summary>
/// <param name="Wall">From the start of the process to its end.</param>
internal sealed record Sample(double Wall)
{
    /// <summary>Processor time of the process and the children it waited for.</summary>
    public double? User { get; init; }

    /// <summary>The kernel's share, likewise.</summary>
    public double? Kernel { get; init; }

    /// <summary>The largest resident set of any one process of the run.</summary>
    public long? PeakMemory { get; init; }

    /// <summary>Bytes in the files that the run left behind.</summary>
    public long? OutputSize { get; init; }

    /// <summary>The duration of the work itself inside the process, without the process's start.</summary>
    public double? Inside { get; init; }

    /// <summary>When the work began, on the clock that all processes of the machine share (Stopwatch ticks).</summary>
    [JsonIgnore]
    public long From { get; init; }

    /// <summary>When it ended, likewise.</summary>
    [JsonIgnore]
    public long To { get; init; }

    /// <summary>Other numbers that the run reported; the name includes the unit.</summary>
    public IReadOnlyDictionary<string, double> Reported { get; init; } = new Dictionary<string, double>();
}
