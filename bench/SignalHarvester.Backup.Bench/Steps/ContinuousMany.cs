using System.Diagnostics;
using SignalHarvester.Backup.Bench.Children;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>A thousand databases in one process, of which fifty get a commit each second.</summary>
internal sealed class ContinuousMany(Workspace workspace, Protection[] protections) : Step
{
    private const string Memory = "memory MB";
    private const string Processor = "CPU %";
    private const string Files = "open files";
    private const string NotFound = "commits in no object";
    private const int Mebibytes = 1;
    private const int Databases = 1000;
    private const int Working = 50;
    private const int Timeout = 5000;

    private static readonly TimeSpan Work = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(15);

    // A thousand folders are listed for each look, which takes some of the two cores from both.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    public override string Name => "continuous-many";

    public override string Title => "Continuous protection of 1,000 databases of 1 MiB, 50 of which get a commit each second";

    public override IEnumerable<Contestant> Contestants()
    {
        var place = new ProtectedPlace(workspace["continuous"]);
        return protections.Select(protection => new Contestant
        {
            Name = protection.Name,
            Missing = protection.Missing,
            Outputs = [place.Folder],
            MostRounds = 1,
            Prepare = () =>
            {
                var original = BenchDatabase.PathOf(workspace, Mebibytes);
                BenchDatabase.Ensure(original, Mebibytes);
                place.Make(original, Databases);
            },
            Run = () => Measure(protection, place),
        });
    }

    /// <summary>At most seven files for each that works, and three for the others.</summary>
    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        .. Line.Of("continuous protection of 1,000 databases, memory while 50 work", result[protections[0].Name]?.Reported(Memory)?.Median, 320, "MB"),
        .. Line.Of("continuous protection of 1,000 databases, commits in no object", result[protections[0].Name]?.Reported(NotFound)?.Max, 0, "commits"),
        .. Line.Of("continuous protection of 1,000 databases, open files while 50 work", result[protections[0].Name]?.Reported(Files)?.Median, 3300, "files"),
    ];

    private Sample Measure(Protection protection, ProtectedPlace place)
    {
        var log = workspace["commits.log"];
        using var neighbour = new Neighbour(protection.Protect(place), place.Log);
        neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == Databases);
        Thread.Sleep(Rest);
        using var watch = new ObjectWatch(protection, place.Store, Look);
        var (began, before) = (Stopwatch.GetTimestamp(), neighbour.Cpu);
        double processor;
        long memory;
        int files;
        using (Writer.Start(Enumerable.Range(0, Working).Select(number => place[ProtectedPlace.NameOf(number)]), log, 1000 / Working, Timeout))
        {
            Thread.Sleep(Work);
            (processor, memory, files) = ((neighbour.Cpu - before) / Work.TotalSeconds, neighbour.Memory, neighbour.Files);
        }

        watch.WaitForRest(Rest);
        var commits = Commit.ReadAll(log);
        double[] delays = [.. CommitDelays.Of(protection, place.Store, commits, watch.New).OfType<double>().Order()];
        _ = neighbour.Stop();
        return new Sample(Stopwatch.GetElapsedTime(began).TotalSeconds)
        {
            Reported = new Dictionary<string, double>
            {
                [Memory] = memory / 1e6,
                [Processor] = processor * 100,
                [Files] = files,
                [CommitDelays.P50] = Quantile.Of(delays, 0.50),
                [CommitDelays.P99] = Quantile.Of(delays, 0.99),
                ["objects"] = watch.New.Count,
                [NotFound] = commits.Count - delays.Length,
            },
        };
    }
}
