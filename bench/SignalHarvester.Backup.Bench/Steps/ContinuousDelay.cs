using System.Diagnostics;
using SignalHarvester.Backup.Bench.Children;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// How long a single commit waits until it is in the store, and what a protection costs while nothing is committed. A commit is looked
/// for in the objects themselves, by the random bytes in its row: the first object after it may hold only the one before it.
/// </summary>
internal sealed class ContinuousDelay(Workspace workspace, string database, Protection[] protections, ProtectedStore? bucket = null) : Step
{
    private const string DelayMax = "delay max ms";
    private const string Objects = "objects";
    private const string IdleProcessor = "idle CPU %";
    private const string IdleObjects = "idle objects";
    private const string IdlePuts = "idle PUTs";
    private const string Put = "a file of 4 KiB flushed and renamed";

    /// <summary>Not a divisor of a second, so that the commits fall on every part of a tool's own rhythm.</summary>
    private const int Interval = 531;

    private static readonly TimeSpan Commits = TimeSpan.FromSeconds(33);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    private readonly ProtectedPlace place = new(workspace["continuous"], bucket);

    public override string Name => "continuous-delay" + place.Store.Suffix;

    public override string Title => $"Continuous protection to {place.Store.Title}: a commit each 0.53 s, then none";

    public override IEnumerable<Contestant> Contestants()
    {
        if (!place.Store.TellsTimes)
        {
            yield return new Contestant { Name = Put, Outputs = [workspace["put"]], Run = MeasurePut };
        }

        foreach (var protection in protections)
        {
            yield return new Contestant
            {
                Name = protection.Name,
                Missing = protection.Missing ?? place.Store.Missing,
                Outputs = [place.Folder],
                Prepare = () => place.Make(database, copies: 1),
                Run = () => Measure(protection),
            };
        }
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var ours = result[protections[0].Name];
        var what = $"continuous protection to {place.Store.Title}";
        return
        [
            .. place.Store.TellsTimes
                ? Line.Of($"{what}, single commits, delay p99", ours?.Reported(CommitDelays.P99)?.Median, 100, "ms")
                : Line.Of(
                    $"{what}, single commits, delay p99 less a flushed file's",
                    ours?.Reported(CommitDelays.P99)?.Median - result[Put]?.Reported(CommitDelays.P99)?.Median, 100, "ms"),
            .. Line.Of($"{what}, CPU while nothing is committed", ours?.Reported(IdleProcessor)?.Median, 0.2, "%"),
            .. Line.Of($"{what}, objects while nothing is committed", ours?.Reported(IdleObjects)?.Max, 0, "objects"),
            .. Line.Of($"{what}, PUTs while nothing is committed", ours?.Reported(IdlePuts)?.Max, 0, "PUTs"),
        ];
    }

    private Sample Measure(Protection protection)
    {
        var log = workspace["commits.log"];
        using var neighbour = new Neighbour(protection.Protect(place), place.Log);
        neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == 1);
        Thread.Sleep(Rest);
        var requests = place.Store.Requests;
        var from = Stopwatch.GetTimestamp();
        IReadOnlyList<(StoredObject Stored, long Seen)> objects;
        using (var watch = new ObjectWatch(protection, place.Store, TimeSpan.FromMilliseconds(1)))
        {
            using (Writer.Start(place[ProtectedPlace.NameOf(0)], log, Interval, timeout: 5000))
            {
                Thread.Sleep(Commits);
            }

            watch.WaitForRest(Rest);
            objects = watch.New;
        }

        var to = Stopwatch.GetTimestamp();
        var worked = place.Store.Requests;
        var before = neighbour.Cpu;
        using var idle = new ObjectWatch(protection, place.Store, Rest);
        Thread.Sleep(Idle);
        var after = neighbour.Cpu;
        var rested = place.Store.Requests;
        var count = idle.New.Count;
        double[] delays =
        [
            .. CommitDelays.Of(protection, place.Store, Commit.ReadAll(log), objects)
                .Select((delay, number) => delay ?? throw new BenchException($"Commit {number} is in none of the {objects.Count} objects.")),
        ];
        _ = neighbour.Stop();
        return new Sample(Stopwatch.GetElapsedTime(from, to).TotalSeconds)
        {
            Reported = Reported(delays, new Dictionary<string, double>
            {
                [Objects] = objects.Count,
                [IdleProcessor] = (after - before) / Idle.TotalSeconds * 100,
                [IdleObjects] = count,
            }.Concat(Counted("PUTs", "requests", worked - requests)).Concat(Counted(IdlePuts, "idle requests", rested - worked)).ToDictionary()),
        };
    }

    private static IEnumerable<KeyValuePair<string, double>> Counted(string puts, string all, RequestCount? count) =>
        count is { } had ? [new(puts, had.Puts), new(all, had.All)] : [];

    private Sample MeasurePut()
    {
        var folder = workspace["put"];
        Directory.CreateDirectory(folder);
        var content = new byte[4096];
        var times = new double[60];
        var from = Stopwatch.GetTimestamp();
        for (var number = 0; number < times.Length; number++)
        {
            var start = Stopwatch.GetTimestamp();
            var unfinished = Path.Combine(folder, "unfinished");
            using (var file = File.Create(unfinished))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(unfinished, Path.Combine(folder, $"{number}"));
            times[number] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            Thread.Sleep(100);
        }

        return new Sample(Stopwatch.GetElapsedTime(from).TotalSeconds) { Reported = Reported(times, []) };
    }

    private static Dictionary<string, double> Reported(double[] delays, Dictionary<string, double> others)
    {
        Array.Sort(delays);
        return new Dictionary<string, double>
        {
            [CommitDelays.P50] = Quantile.Of(delays, 0.50),
            [CommitDelays.P99] = Quantile.Of(delays, 0.99),
            [DelayMax] = delays[^1],
        }.Concat(others).ToDictionary();
    }
}
