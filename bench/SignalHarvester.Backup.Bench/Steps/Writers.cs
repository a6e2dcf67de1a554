using System.Diagnostics;
using SignalHarvester.Backup.Bench.Children;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// The effect of a backup on a process that commits small transactions to the same database meanwhile. Bare zstd, on another file,
/// runs beside the same writer, to tell waiting for locks from sharing cores and a disk.
/// </summary>
internal sealed class Writers(Workspace workspace, string database, Module module) : Step
{
    private const string IdleP99 = "idle p99 ms";
    private const string DuringP99 = "during p99 ms";
    private const string Refused = "refused commits";

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    private static readonly (string Name, int Interval)[] Paces = [("at 200 commits/s", 5), ("at full speed", 0)];

    public override string Name => "writers";

    public override string Title => "A writer during a backup (WAL mode, synchronous=NORMAL, no busy timeout)";

    public override IEnumerable<Contestant> Contestants()
    {
        string backups = workspace["backups"], zst = workspace["plain.zst"];
        foreach ((var pace, var interval) in Paces)
        {
            yield return Of($"New-SHBackup {pace}", module.Missing, backups, interval, copy => module.Backup(copy, backups));
            yield return Of($"zstd -1 -T2 {pace}", Peers.Missing("zstd"), zst, interval, _ => Peers.ZstdCompress(database, zst));
        }
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        foreach ((var pace, _) in Paces)
        {
            var ours = result[$"New-SHBackup {pace}"];
            var ratio = ours?.Reported(DuringP99)?.Median / ours?.Reported(IdleP99)?.Median;
            foreach (var line in (Line[])
            [
                .. Line.Of($"p99 commit during a backup / idle, writer {pace}", ratio, 1.5, "x"),
                .. Line.Of($"commits refused during a backup, writer {pace}", ours?.Reported(Refused)?.Max, 0, "commits"),
            ])
            {
                yield return line;
            }
        }
    }

    private Contestant Of(string name, string? missing, string output, int interval, Func<string, Command> backup)
    {
        var copy = workspace["live", "copy.db"];
        return new Contestant
        {
            Name = name,
            Missing = missing,
            Inputs = [copy],
            Outputs = [output],
            Prepare = () =>
            {
                var folder = Path.GetDirectoryName(copy)!;
                Workspace.Delete(folder);
                Directory.CreateDirectory(folder);
                File.Copy(database, copy);
                Workspace.Settle();
            },
            Run = () => Measure(copy, interval, backup(copy)),
        };
    }

    private Sample Measure(string copy, int interval, Command backup)
    {
        var log = workspace["commits.log"];
        Sample sample;
        long walSize;
        (long From, long To) idle;
        using (Writer.Start(copy, log, interval, timeout: 0))
        {
            Task.Delay(WarmUp).Wait();
            idle.From = Stopwatch.GetTimestamp();
            Task.Delay(Idle).Wait();
            idle.To = Stopwatch.GetTimestamp();
            sample = backup.Run();
            walSize = Workspace.SizeOf(copy + "-wal");
        }

        var commits = Commit.ReadAll(log);
        Commit[] before = [.. commits.Where(c => c.IsWithin(idle.From, idle.To))];
        Commit[] meanwhile = [.. commits.Where(c => c.IsWithin(sample.From, sample.To))];
        return sample with
        {
            Reported = new Dictionary<string, double>
            {
                ["idle commits"] = before.Length,
                ["idle p50 ms"] = Commit.Percentile(before, 0.50),
                [IdleP99] = Commit.Percentile(before, 0.99),
                ["idle max ms"] = Commit.Percentile(before, 1),
                ["during commits"] = meanwhile.Length,
                ["during p50 ms"] = Commit.Percentile(meanwhile, 0.50),
                [DuringP99] = Commit.Percentile(meanwhile, 0.99),
                ["during max ms"] = Commit.Percentile(meanwhile, 1),
                [Refused] = meanwhile.Count(c => c.Refused),
                ["WAL after MB"] = walSize / 1e6,
            },
        };
    }
}
