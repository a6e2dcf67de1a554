using System.Globalization;

namespace SignalHarvester.Backup.Bench;

/// <summary>The command line.</summary>
internal sealed record Options
{
    public const string Usage = """
        bench [--size-mib 1024] [--runs 3] [--only NAME,...] [--work DIR] [--json FILE]
          --size-mib  size of the database, in MiB
          --runs      rounds; every contestant runs once in each, and medians are reported
          --only      steps (backup), families (continuous) or single contestants of a step (backup/zstd -1 -T2)
          --work      where the database (kept for the next time) and temporary files go
          --json      the report; its markdown table is written beside it
        """;

    public int SizeMebibytes { get; private init; } = 1024;

    public int Runs { get; private init; } = 3;

    public IReadOnlyList<string> Only { get; private init; } = [];

    public string Work { get; private init; } = Path.Combine(Path.GetTempPath(), "shbackup-bench");

    /// <summary>Null for a new file in bench/results.</summary>
    public string? Json { get; private init; }

    /// <exception cref="BenchException">An argument is unknown or has no fitting value.</exception>
    public static Options Parse(IReadOnlyList<string> arguments)
    {
        var options = new Options();
        for (var i = 0; i < arguments.Count; i += 2)
        {
            var name = arguments[i];
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw new BenchException($"{name} needs a value.\n{Usage}");
            options = name switch
            {
                "--size-mib" => options with { SizeMebibytes = Positive(name, value) },
                "--runs" => options with { Runs = Positive(name, value) },
                "--only" => options with { Only = value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) },
                "--work" => options with { Work = value },
                "--json" => options with { Json = Path.GetFullPath(value) },
                _ => throw new BenchException($"Unknown argument {name}.\n{Usage}"),
            };
        }

        return options;
    }

    /// <summary>Makes sure that --only names only existing steps and contestants, before an hour goes into the rest.</summary>
    /// <exception cref="BenchException">It names something else.</exception>
    public void Check(IReadOnlyList<Step> steps)
    {
        string[] names = [.. steps.SelectMany(s => (string[])[s.Name, FamilyOf(s), .. s.Contestants().Select(c => $"{s.Name}/{c.Name}")]).Distinct()];
        if (Only.Except(names).FirstOrDefault() is string unknown)
        {
            throw new BenchException($"--only: there is no '{unknown}'. There are:\n  {string.Join("\n  ", names)}");
        }
    }

    /// <summary>Whether --only lets a contestant of a step run.</summary>
    public bool Wants(Step step, Contestant contestant) =>
        Only.Count == 0 || Only.Contains(step.Name) || Only.Contains(FamilyOf(step)) || Only.Contains($"{step.Name}/{contestant.Name}");

    /// <summary>The name for several steps: <c>incremental</c> of <c>incremental-20</c>.</summary>
    private static string FamilyOf(Step step) => step.Name.Split('-')[0];

    private static int Positive(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new BenchException($"{name} takes a whole number above 0, not '{value}'.");
}
