using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>What a protection of one, a hundred and a thousand databases costs while nothing is committed to any of them.</summary>
internal sealed class ContinuousMemory(Workspace workspace, Protection[] protections, ProtectedStore? bucket = null) : Step
{
    private const string Memory = "memory MB";
    private const int Mebibytes = 1;

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(20);

    private static readonly (int Databases, double MostMegabytes)[] Fields = [(1, 150), (100, 167), (1000, 320)];

    private readonly ProtectedPlace place = new(workspace["continuous"], bucket);

    public override string Name => "continuous-memory" + place.Store.Suffix;

    public override string Title => $"Continuous protection to {place.Store.Title} of many databases of 1 MiB at rest, in one process";

    public override IEnumerable<Contestant> Contestants()
    {
        foreach (var (databases, _) in Fields)
        {
            foreach (var protection in protections)
            {
                yield return new Contestant
                {
                    Name = NameOf(protection, databases),
                    Missing = protection.Missing ?? place.Store.Missing,
                    Outputs = [place.Folder],
                    MostRounds = databases > 100 ? 1 : int.MaxValue,
                    Prepare = () =>
                    {
                        var original = BenchDatabase.PathOf(workspace, Mebibytes);
                        BenchDatabase.Ensure(original, Mebibytes);
                        place.Make(original, databases);
                    },
                    Run = () => Measure(protection, databases),
                };
            }
        }
    }

    public override IEnumerable<Line> Judge(StepResult result) => Fields.SelectMany(field => Line.Of(
        $"continuous protection to {place.Store.Title}, memory for databases at rest: {field.Databases}",
        result[NameOf(protections[0], field.Databases)]?.Reported(Memory)?.Median, field.MostMegabytes, "MB"));

    private static string NameOf(Protection protection, int databases) =>
        string.Create(CultureInfo.InvariantCulture, $"{protection.Name} of {databases}");

    private Sample Measure(Protection protection, int databases)
    {
        var began = Stopwatch.GetTimestamp();
        using var neighbour = new Neighbour(protection.Protect(place), place.Log);
        neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == databases);
        var start = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Thread.Sleep(Rest);
        var before = neighbour.Cpu;
        Thread.Sleep(Idle);
        var sample = new Sample(start)
        {
            Reported = new Dictionary<string, double>
            {
                [Memory] = neighbour.Memory / 1e6,
                ["memory while they began MB"] = neighbour.PeakMemory / 1e6,
                ["idle CPU %"] = (neighbour.Cpu - before) / Idle.TotalSeconds * 100,
                ["open files"] = neighbour.Files,
            },
        };
        _ = neighbour.Stop();
        return sample;
    }
}
