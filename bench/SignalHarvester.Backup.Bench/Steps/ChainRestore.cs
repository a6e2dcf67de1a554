using System.Globalization;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// Restores the newest state, at the end of thirty increments, and beside it the first, which builds on no other. The peers have
/// only the first and the newest state: the states in between make no difference to their restore, and would take minutes to store.
/// </summary>
internal sealed class ChainRestore(Workspace workspace, string database, Module module, History history) : Step
{
    private static readonly string Newest = string.Create(
        CultureInfo.InvariantCulture, $"Restore-SHBackup (full and {History.Increments} increments)");

    private readonly Lazy<string> firstHash = new(() => Workspace.HashOf(database));
    private readonly Restoration restoration = new(workspace);

    public override string Name => "chain-restore";

    public override string Title => string.Create(
        CultureInfo.InvariantCulture, $"Restore to a missing file, of the newest of {History.Increments + 1} backups");

    public override IEnumerable<Contestant> Contestants()
    {
        yield return restoration.Of("Restore-SHBackup (the full one)", module.Missing, history.Backups, history.MakeBackups,
            (source, target) => module.Restore(source, Restoration.FileIn(target), "-Type Full"),
            () => firstHash.Value,
            isBaseline: true);
        yield return restoration.Of(Newest, module.Missing, history.Backups, history.MakeBackups,
            (source, target) => module.Restore(source, Restoration.FileIn(target)),
            () => history.NewestHash);

        string restic = workspace["restic"], borg = workspace["borg"];
        yield return restoration.Of("restic restore", Peers.Missing("restic"), restic,
            () => StoreEnds(restic, Peers.ResticInit, _ => Peers.ResticBackup(restic, history.Live)),
            Peers.ResticRestore,
            () => history.NewestHash);
        yield return restoration.Of("borg extract", Peers.Missing("borg"), borg,
            () => StoreEnds(borg, Peers.BorgInit, state => Peers.BorgCreate(borg, history.Live, Peers.Archive(state))),
            (source, target) => Peers.BorgExtract(source, target, Peers.Archive(History.Increments)),
            () => history.NewestHash);
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var ours = result[Newest];
        return
        [
            .. Line.Of("restore of the chain / of its full backup, whole process", result.WallRatio(ours), 1.3, "x"),
            .. Line.Of("restore of the chain / of its full backup, cmdlet", result.InsideRatio(ours), 1.3, "x"),
            .. Line.Of("restore of the chain, peak memory", ours?.PeakMemory?.Median / 1e6, 200, "MB"),
        ];
    }

    private void StoreEnds(string repository, Func<string, Command> init, Func<int, Command> store)
    {
        if (Directory.Exists(repository))
        {
            return;
        }

        init(repository).Run();
        history.Replay(state =>
        {
            if (state is 0 or History.Increments)
            {
                store(state).Run();
            }
        });
    }
}
