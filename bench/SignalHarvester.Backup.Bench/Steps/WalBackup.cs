using System.Globalization;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// Takes frames from the log of a database that another process has open: the same number of them from databases of several sizes,
/// and several numbers from one database.
/// </summary>
internal sealed class WalBackup(Workspace workspace, int sizeMebibytes, Module module) : Step
{
    private const int FewFrames = 1_000;

    /// <summary>The number of backups in the warm process; the first does not count.</summary>
    private const int Series = 6;

    private readonly int small = Math.Max(2, sizeMebibytes / 10);
    private readonly int large = 4 * sizeMebibytes;

    public override string Name => "wal";

    public override string Title => "New-SHBackup -Type Wal, of a database whose log is held open";

    public override IEnumerable<Contestant> Contestants()
    {
        foreach ((var size, var frames) in ((int, int)[])
        [
            (small, FewFrames), (sizeMebibytes, FewFrames), (large, FewFrames), (sizeMebibytes, 10_000), (sizeMebibytes, 50_000),
        ])
        {
            var live = workspace["live", string.Create(CultureInfo.InvariantCulture, $"signals-{size}m.db")];
            var backups = workspace["backups"];
            yield return Of(NameOf(size, frames), live, size, () =>
            {
                PageChanges.Make(live, frames, seed: 1);
                Workspace.Settle();
                return module.Backup(live, backups, "Wal").Run();
            });
            yield return Of(WarmNameOf(size, frames), live, size, () =>
                Module.WarmPart(module.Series(live, backups, "Wal", PageChanges.Unseeded(live, frames), Series).Run()));
        }
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var what = string.Create(CultureInfo.InvariantCulture, $"{FewFrames:N0} frames, database of {large} MiB / {small} MiB");
        return
        [
            .. Line.Of($"{what}, engine", Ratio(NameOf), 2.0, "x"),
            .. Line.Of($"{what}, engine in a warm process", Ratio(WarmNameOf), 2.0, "x"),
            .. Line.Of("WAL backup, peak memory", result.Contestants.Max(c => c.PeakMemory?.Median) / 1e6, 200, "MB"),
        ];

        double? Ratio(Func<int, int, string> name) =>
            result[name(large, FewFrames)]?.Inside?.Median / result[name(small, FewFrames)]?.Inside?.Median;
    }

    private static string NameOf(int size, int frames) =>
        string.Create(CultureInfo.InvariantCulture, $"{frames} frames of {size} MiB");

    private static string WarmNameOf(int size, int frames) => NameOf(size, frames) + " (warm process)";

    /// <param name="name">The contestant's name.</param>
    /// <param name="live">The database.</param>
    /// <param name="size">Its size in MiB.</param>
    /// <param name="run">Adds frames to the log and backs it up; there is a parent that the log continues.</param>
    private Contestant Of(string name, string live, int size, Func<Sample> run) => new()
    {
        Name = name,
        Missing = module.Missing,
        Prepare = () => MakeDatabase(live, size),
        Run = () =>
        {
            // It is the last to close the database, so that its end checkpoints the log and the next run finds none.
            using var holder = new Companion(Children.LogHolder.Verb, live);
            Workspace.Delete(workspace["backups"]);
            PageChanges.Make(live, pages: 1, seed: 0);
            module.Backup(live, workspace["backups"]).Run();
            return run();
        },
    };

    /// <summary>Makes a copy of the bench's database of a size; beyond the size with which the bench was started, it has zeros.</summary>
    private void MakeDatabase(string live, int size)
    {
        if (File.Exists(live))
        {
            return;
        }

        var made = Math.Min(size, sizeMebibytes);
        string original = BenchDatabase.PathOf(workspace, made), unfinished = live + ".new";
        BenchDatabase.Ensure(original, made);
        Directory.CreateDirectory(Path.GetDirectoryName(live)!);
        File.Copy(original, unfinished, overwrite: true);
        if (size > made)
        {
            BenchDatabase.Grow(unfinished, size);
        }

        File.Move(unfinished, live);
    }
}
