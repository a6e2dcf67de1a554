namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>One line of a step's table: something that is run and measured.</summary>
internal sealed class Contestant
{
    /// <summary>How the line is named.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the other lines' ratios are to this one.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>Why it cannot run here; null when it can.</summary>
    public string? Missing { get; init; }

    /// <summary>Files and directories that are read once before each run, so that all start with a warm page cache.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Files and directories that the run makes: deleted before, their size counted after.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>Whether the outputs stay for the contestants after it, until its own next run.</summary>
    public bool KeepsOutputs { get; init; }

    /// <summary>Rounds after which it is not run any more: for a run that uses up what took minutes to prepare.</summary>
    public int MostRounds { get; init; } = int.MaxValue;

    /// <summary>What must be there before the run and is not timed, such as an empty repository.</summary>
    public Action Prepare { get; init; } = static () => { };

    /// <summary>The measured run.</summary>
    public required Func<Sample> Run { get; init; }

    /// <summary>Looks, untimed, whether the run did its work; throws <see cref="BenchException"/> when not.</summary>
    public Action Check { get; init; } = static () => { };
}
