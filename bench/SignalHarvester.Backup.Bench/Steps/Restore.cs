namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Restores the whole database into a new file.</summary>
internal sealed class Restore(Workspace workspace, string database, Module module) : Step
{
    private const string Verified = "Restore-SHBackup";
    private const string Unverified = "Restore-SHBackup -NoVerify";

    private readonly Lazy<string> hash = new(() => Workspace.HashOf(database));
    private readonly Restoration restoration = new(workspace);

    public override string Name => "restore";

    public override string Title => "Restore to a missing file";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of("zstd -d", Peers.Missing("zstd"), workspace["plain.zst"],
            source => Peers.ZstdCompress(database, source).Run(),
            (source, target) => Peers.ZstdDecompress(source, Restoration.FileIn(target)),
            isBaseline: true);
        yield return Of(Verified, module.Missing, workspace["backups"],
            source => module.Backup(database, source).Run(),
            (source, target) => module.Restore(source, Restoration.FileIn(target), verify: true));
        yield return Of(Unverified, module.Missing, workspace["backups"],
            source => module.Backup(database, source).Run(),
            (source, target) => module.Restore(source, Restoration.FileIn(target)));
        yield return Of("restic restore", Peers.Missing("restic"), workspace["restic"],
            source =>
            {
                Peers.ResticInit(source).Run();
                Peers.ResticBackup(source, database).Run();
            },
            Peers.ResticRestore);
        yield return Of("borg extract", Peers.Missing("borg"), workspace["borg"],
            source =>
            {
                Peers.BorgInit(source).Run();
                Peers.BorgCreate(source, database).Run();
            },
            (source, target) => Peers.BorgExtract(source, target));
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        return
        [
            .. Line.Of("restore, verified, whole process / zstd -d", result.WallRatio(result[Verified]), 2.5, "x"),
            .. Line.Of("restore, verified, peak memory", result[Verified]?.PeakMemory?.Median / 1e6, 200, "MB"),
            .. Line.Of("restore, not verified, cmdlet / zstd -d", result.InsideRatio(result[Unverified]), 1.0, "x"),
            .. Line.Of("restore, not verified, peak memory", result[Unverified]?.PeakMemory?.Median / 1e6, 200, "MB"),
        ];
    }

    /// <param name="name">The contestant's name.</param>
    /// <param name="missing">Why it cannot run, or null.</param>
    /// <param name="source">The place of its backup.</param>
    /// <param name="back">Makes the backup, once.</param>
    /// <param name="restore">The command that restores from the source into an empty directory.</param>
    /// <param name="isBaseline">Whether the others are compared with it.</param>
    private Contestant Of(
        string name, string? missing, string source, Action<string> back, Func<string, string, Command> restore, bool isBaseline = false) =>
        restoration.Of(
            name,
            missing,
            source,
            () =>
            {
                if (!Path.Exists(source))
                {
                    back(source);
                }
            },
            restore,
            () => hash.Value,
            isBaseline);
}
