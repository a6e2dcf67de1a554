using System.Diagnostics;
using SignalHarvester.Backup.Bench.Children;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// An application that commits as fast as it can, or at a pace: what a protection costs it, how large its log becomes, how long a commit
/// waits until it is in the store, and how long the end of it all takes to restore. A compression of another file beside it shows what sharing
/// the machine alone does.
/// </summary>
/// <param name="workspace">The bench's files.</param>
/// <param name="database">What is copied and protected.</param>
/// <param name="protections">The tools; the first is ours.</param>
/// <param name="bucket">The store; null for a folder.</param>
/// <param name="perSecond">The pace in commits a second; 0 for as many as possible.</param>
internal sealed class ContinuousLoad(
    Workspace workspace, string database, Protection[] protections, ProtectedStore? bucket = null, int perSecond = 0) : Step
{
    private const string Alone = "alone";
    private const string Zstd = "zstd -1 -T1 of another file";
    private const string PerSecond = "commits/s";
    private const string CommitP99 = "commit p99 ms";
    private const string LargestLog = "largest log MB";
    private const string Lost = "commits not restored";

    // Looking for each of some 50,000 in some hundred megabytes would take minutes.
    private const int MostLookedFor = 500;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Load = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly ProtectedPlace place = new(workspace["continuous"], bucket);

    public override string Name => (perSecond == 0 ? "continuous-load" : $"continuous-load-{perSecond}") + place.Store.Suffix;

    public override string Title => $"Continuous protection to {place.Store.Title}: an application {Pace} (synchronous=NORMAL) for 15 s";

    private string Pace => perSecond == 0 ? "at full speed" : $"with {perSecond} commits a second";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(Alone, missing: null, () => Measure(neighbour: null).Sample);
        yield return Of(Zstd, Peers.Missing("zstd"), () =>
        {
            using var neighbour = new Neighbour(Peers.ZstdForever(database, workspace["other.zst"]), place.Log);
            Thread.Sleep(WarmUp);
            return Measure(neighbour).Sample;
        });
        foreach (var protection in protections)
        {
            yield return Of(protection.Name, protection.Missing, () => Measure(protection));
        }
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        ContestantResult? alone = result[Alone], shared = result[Zstd], ours = result[protections[0].Name];
        var what = $"an application {Pace} under continuous protection to {place.Store.Title}";
        return
        [
            .. Line.Of($"{what}: time of a commit / alone", alone?.Reported(PerSecond)?.Median / ours?.Reported(PerSecond)?.Median, 1 / 0.95, "x"),
            .. Line.Of($"{what}: time of a commit / beside zstd", shared?.Reported(PerSecond)?.Median / ours?.Reported(PerSecond)?.Median, 1 / 0.95, "x"),
            .. perSecond == 0 ? [] : Line.Of($"{what}: largest log", ours?.Reported(LargestLog)?.Median, 4 * (1 << 20) / 1e6, "MB"),
            .. Line.Of($"{what}: commit to stored object, p50", ours?.Reported(CommitDelays.P50)?.Median, 550, "ms"),
            .. Line.Of($"{what}: commit to stored object, p99", ours?.Reported(CommitDelays.P99)?.Median, 1100, "ms"),
            .. Line.Of($"{what}: p99 of a commit / alone", ours?.Reported(CommitP99)?.Median / alone?.Reported(CommitP99)?.Median, 1.1, "x"),
            .. Line.Of($"{what}: p99 of a commit / beside zstd", ours?.Reported(CommitP99)?.Median / shared?.Reported(CommitP99)?.Median, 1.1, "x"),
            .. Line.Of($"{what}: commits that are not restored", ours?.Reported(Lost)?.Max, 0, "commits"),
        ];
    }

    private Contestant Of(string name, string? missing, Func<Sample> run) => new()
    {
        Name = name,
        Missing = missing ?? place.Store.Missing,
        Outputs = [place.Folder],
        Prepare = () => place.Make(database, copies: 1),
        Run = run,
    };

    /// <summary>Runs the application beside something, or alone.</summary>
    /// <returns>What it was like for the application, and all of its commits.</returns>
    private (Sample Sample, IReadOnlyList<Commit> Commits) Measure(Neighbour? neighbour)
    {
        string copy = place[ProtectedPlace.NameOf(0)], log = workspace["commits.log"];
        long largest = 0, from, to;
        using (Writer.Start(copy, log, perSecond == 0 ? 0 : 1000 / perSecond, timeout: 5000))
        {
            Thread.Sleep(WarmUp);
            from = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(from) < Load)
            {
                largest = Math.Max(largest, Workspace.SizeOf(copy + "-wal"));
                Thread.Sleep(Look);
            }

            to = Stopwatch.GetTimestamp();
        }

        var commits = Commit.ReadAll(log);
        Commit[] measured = [.. commits.Where(c => c.IsWithin(from, to))];
        var sample = new Sample(Stopwatch.GetElapsedTime(from, to).TotalSeconds) { From = from, To = to };
        return (sample with
        {
            Reported = new Dictionary<string, double>
            {
                [PerSecond] = measured.Count(c => !c.Refused) / sample.Wall,
                ["commit p50 ms"] = Commit.Percentile(measured, 0.50),
                [CommitP99] = Commit.Percentile(measured, 0.99),
                ["commit p99.9 ms"] = Commit.Percentile(measured, 0.999),
                ["commit max ms"] = Commit.Percentile(measured, 1),
                ["refused"] = measured.Count(c => c.Refused),
                [LargestLog] = largest / 1e6,
            },
        }, commits);
    }

    private Sample Measure(Protection protection)
    {
        using var neighbour = new Neighbour(protection.Protect(place), place.Log);
        neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == 1);
        Thread.Sleep(Rest);
        var before = neighbour.Cpu;
        Sample sample;
        IReadOnlyList<Commit> commits;
        IReadOnlyList<(StoredObject Stored, long Seen)> objects;
        using (var watch = new ObjectWatch(protection, place.Store, Look))
        {
            (sample, commits) = Measure(neighbour);
            watch.WaitForRest(Rest);
            objects = watch.New;
        }

        var reported = new Dictionary<string, double>(sample.Reported)
        {
            ["protection CPU s"] = neighbour.Cpu - before,
            ["protection peak MB"] = neighbour.PeakMemory / 1e6,
            ["objects"] = objects.Count,
            ["objects MB"] = objects.Sum(o => o.Stored.Size()) / 1e6,
            ["behind at the end s"] = Stopwatch.GetElapsedTime(commits[^1].End, objects[^1].Seen).TotalSeconds,
        };
        double[] delays =
        [
            .. CommitDelays.Of(protection, place.Store, commits, objects, Math.Max(1, commits.Count / MostLookedFor)).OfType<double>().Order(),
        ];
        reported[CommitDelays.P50] = Quantile.Of(delays, 0.50);
        reported[CommitDelays.P99] = Quantile.Of(delays, 0.99);
        reported["exit code"] = neighbour.Stop();
        Restore(protection, commits, reported);
        return sample with { Reported = reported };
    }

    private void Restore(Protection protection, IReadOnlyList<Commit> commits, Dictionary<string, double> reported)
    {
        var restored = workspace["restored.db"];
        foreach (var (column, command) in protection.Restores(place, place[ProtectedPlace.NameOf(0)], restored))
        {
            Workspace.Delete(restored);
            Workspace.Settle();
            reported[column] = command.Run().Wall;
            using var connection = BenchDatabase.Open(restored);
            using var count = connection.CreateCommand();
            count.CommandText = $"SELECT count(*) FROM signals WHERE source = '{Commit.Source}'";
            reported[Lost] = commits.Count(c => !c.Refused) - (long)count.ExecuteScalar()!;
        }
    }
}
