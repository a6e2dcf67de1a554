using System.Globalization;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Removes old backups on which newer ones build, and makes one file of a chain.</summary>
internal sealed class Fold(Workspace workspace, Module module, History history) : Step
{
    private const int Removed = 15;
    private const int Kept = History.Increments + 1 - Removed;
    private const string Freed = "freed MB";

    private const string Merge = "Merge-SHBackup (the newest)";

    private static readonly string Remove = string.Create(CultureInfo.InvariantCulture, $"Remove-SHBackup (the {Removed} oldest)");

    private readonly Restoration restoration = new(workspace);

    public override string Name => "fold";

    public override string Title => string.Create(
        CultureInfo.InvariantCulture, $"Removal of the {Removed} oldest of {History.Increments + 1} backups, and merging");

    public override IEnumerable<Contestant> Contestants()
    {
        string backups = workspace["backups"], restic = workspace["restic"], borg = workspace["borg"];
        yield return Ours(Remove, module.RemoveOldest(backups, Removed));
        yield return Ours(Merge, module.MergeNewest(backups));
        yield return Peer(
            string.Create(CultureInfo.InvariantCulture, $"restic forget --keep-last {Kept} --prune"),
            Peers.Missing("restic"), restic, Peers.ResticInit,
            _ => Peers.ResticBackup(restic, history.Live),
            Peers.ResticForget(restic, Kept));
        yield return Peer(
            string.Create(CultureInfo.InvariantCulture, $"borg delete --first {Removed} + borg compact"),
            Peers.Missing("borg"), borg, Peers.BorgInit,
            state => Peers.BorgCreate(borg, history.Live, Peers.Archive(state)),
            Peers.BorgDelete(borg, Removed));

        Contestant Ours(string name, Command command) => new()
        {
            Name = name,
            Missing = module.Missing,
            Inputs = [backups],
            Outputs = [backups],
            Prepare = () =>
            {
                history.MakeBackups();
                Workspace.Copy(history.Backups, backups);
            },
            Run = () => Measure(backups, command),
            Check = () => restoration.Check(file => module.Restore(backups, file), history.NewestHash),
        };
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        .. Line.Of("removal with folding, peak memory", result[Remove]?.PeakMemory?.Median / 1e6, 200, "MB"),
        .. Line.Of("merging, peak memory", result[Merge]?.PeakMemory?.Median / 1e6, 200, "MB"),
    ];

    /// <summary>A peer takes minutes to store every state, and its run uses up what it stored, so it is run once.</summary>
    private Contestant Peer(
        string name, string? missing, string repository, Func<string, Command> init, Func<int, Command> store, Command command) => new()
        {
            Name = name,
            Missing = missing,
            MostRounds = 1,
            Inputs = [repository],
            Outputs = [repository],
            Prepare = () =>
            {
                init(repository).Run();
                history.Replay(state => store(state).Run());
            },
            Run = () => Measure(repository, command),
        };

    private static Sample Measure(string directory, Command command)
    {
        var before = Workspace.SizeWithoutCache(directory);
        var sample = command.Run();
        return sample with
        {
            Reported = new Dictionary<string, double>(sample.Reported)
            {
                [Freed] = (before - Workspace.SizeWithoutCache(directory)) / 1e6,
            },
        };
    }
}
