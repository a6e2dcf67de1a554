namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>The whole database back into a file that is not there yet.</summary>
internal sealed class Restore(Workspace workspace, string database, Module module, Peers peers) : Step
{
    private readonly Lazy<string> _hash = new(() => Workspace.HashOf(database));

    public override string Name => "restore";

    public override string Title => "Restore to a missing file";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of("zstd -d", Peers.Missing("zstd"), workspace["plain.zst"],
            source => Peers.ZstdCompress(database, source).Run(),
            (source, target) => Peers.ZstdDecompress(source, Path.Combine(target, "restored.db")),
            isBaseline: true);
        yield return Of("Restore-SHBackup", module.Missing, workspace["backups"],
            source => module.Backup(database, source).Run(),
            (source, target) => module.Restore(source, Path.Combine(target, "restored.db")));
        yield return Of("restic restore", Peers.Missing("restic"), workspace["restic"],
            source =>
            {
                peers.ResticInit(source).Run();
                peers.ResticBackup(source, database).Run();
            },
            peers.ResticRestore);
        yield return Of("borg extract", Peers.Missing("borg"), workspace["borg"],
            source =>
            {
                peers.BorgInit(source).Run();
                peers.BorgCreate(source, database).Run();
            },
            peers.BorgExtract);
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        ContestantResult? ours = result["Restore-SHBackup"];
        return
        [
            .. Line.Of("restore, whole process / zstd -d", result.WallRatio(ours), 1.0, "x"),
            .. Line.Of("restore, cmdlet / zstd -d", result.InsideRatio(ours), 1.0, "x"),
            .. Line.Of("restore, peak memory", ours?.PeakMemory?.Median / 1e6, 200, "MB"),
        ];
    }

    /// <param name="name">The contestant's name.</param>
    /// <param name="missing">Why it cannot run, or null.</param>
    /// <param name="source">Where its backup lies.</param>
    /// <param name="back">Makes the backup, once.</param>
    /// <param name="restore">The command that restores from the source into an empty directory.</param>
    /// <param name="isBaseline">Whether the others are compared with it.</param>
    private Contestant Of(
        string name, string? missing, string source, Action<string> back, Func<string, string, Command> restore, bool isBaseline = false)
    {
        string target = workspace["restored"];
        return new Contestant
        {
            Name = name,
            IsBaseline = isBaseline,
            Missing = missing,
            Inputs = [source],
            Outputs = [target],
            Prepare = () =>
            {
                if (!Path.Exists(source))
                {
                    back(source);
                }

                Directory.CreateDirectory(target);
            },
            Run = restore(source, target).Run,
            Check = () => Check(target),
        };
    }

    private void Check(string target)
    {
        string[] files = Directory.GetFiles(target, "*.db", SearchOption.AllDirectories);
        if (files.Length != 1 || Workspace.HashOf(files[0]) != _hash.Value)
        {
            throw new BenchException("What was restored is not the database that was backed up.");
        }
    }
}
