namespace SignalHarvester.Backup.Bench.Measuring;

/// <summary>One line of a step's table: a program that is run and measured.</summary>
internal sealed class Contestant
{
    /// <summary>The line's name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether the other lines' ratios refer to this one.</summary>
    public bool IsBaseline { get; init; }

    /// <summary>Why it cannot run here; null if it can.</summary>
    public string? Missing { get; init; }

    /// <summary>Files and directories that are read once before each run, so that all start with a warm page cache.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Files and directories that the run makes: deleted before, measured afterwards.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>Whether the outputs stay for the next contestants, until its own next run.</summary>
    public bool KeepsOutputs { get; init; }

    /// <summary>The largest number of rounds: for a run that uses up what took minutes to prepare.</summary>
    public int MostRounds { get; init; } = int.MaxValue;

    /// <summary>Prepares the run, untimed: an empty repository, for example.</summary>
    public Action Prepare { get; init; } = static () => { };

    /// <summary>The measured run.</summary>
    public required Func<Sample> Run { get; init; }

    /// <summary>Checks, untimed, whether the run did its work; throws <see cref="BenchException"/> if not.</summary>
    public Action Check { get; init; } = static () => { };
}
