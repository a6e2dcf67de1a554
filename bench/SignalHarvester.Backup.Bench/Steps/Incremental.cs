using System.Globalization;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>Backs up the changes since a backup of the first state, with a share of all pages changed, each in one row.</summary>
internal sealed class Incremental(Workspace workspace, string database, Module module, int percent) : Step
{
    private const string Verified = "New-SHBackup -Type Incremental";
    private const string Ours = Verified + " -NoVerify";
    private const string OursWarm = Ours + " (warm process)";

    private const string Added = "added MB";
    private const string Digests = "digests MB";

    /// <summary>The number of backups in the warm process; the first does not count.</summary>
    private const int Series = 6;

    private readonly SavedState savedBackups = new(workspace["first", "backups"], workspace["backups"]);
    private readonly SavedState savedRestic = new(workspace["first", "restic"], Peers.DirectoriesOf(workspace["restic"]));
    private readonly SavedState savedBorg = new(workspace["first", "borg"], Peers.DirectoriesOf(workspace["borg"]));
    private readonly Restoration restoration = new(workspace);
    private State state;

    /// <summary>The present content of <see cref="Live"/>.</summary>
    private enum State
    {
        Unknown,
        First,
        Changed,
    }

    public override string Name => string.Create(CultureInfo.InvariantCulture, $"incremental-{percent}");

    public override string Title => string.Create(
        CultureInfo.InvariantCulture, $"Incremental backup, {percent} % of the pages changed{(percent == 0 ? "" : ", all over the database")}");

    /// <summary>The changing database.</summary>
    private string Live => workspace["live", "signals.db"];

    private int Pages => BenchDatabase.PagesOf(database, percent);

    public override IEnumerable<Contestant> Contestants()
    {
        string backups = workspace["backups"], restic = workspace["restic"], borg = workspace["borg"];
        Action backUp = () => module.Backup(Live, backups, verify: true).Run();
        Action resticBackup = () =>
        {
            Peers.ResticInit(restic).Run();
            Peers.ResticBackup(restic, Live).Run();
        };
        Action borgCreate = () =>
        {
            Peers.BorgInit(borg).Run();
            Peers.BorgCreate(borg, Live, Peers.Archive(0)).Run();
        };

        yield return new Contestant
        {
            Name = "openssl dgst -sha256 (reads only)",
            IsBaseline = true,
            Missing = Peers.Missing("openssl"),
            Inputs = [Live],
            Prepare = Change,
            Run = Peers.OpensslHash(Live).Run,
        };
        Action check = () => restoration.Check(file => module.Restore(backups, file), Workspace.HashOf(Live));
        yield return Of(Verified, module.Missing, backups, savedBackups, backUp,
            () => Measure(backups, module.Backup(Live, backups, "Incremental", verify: true)), check: check);
        yield return Of(Ours, module.Missing, backups, savedBackups, backUp,
            () => Measure(backups, module.Backup(Live, backups, "Incremental")), check: check);
        yield return Of(OursWarm, module.Missing, backups, savedBackups, backUp, () =>
        {
            state = State.Unknown;
            return Required(Module.WarmPart(module.Series(Live, backups, "Incremental", PageChanges.Unseeded(Live, Pages), Series).Run()));
        }, check: check, hasSize: false);
        yield return Of("restic backup", Peers.Missing("restic"), restic, savedRestic, resticBackup,
            () => Measure(restic, Peers.ResticBackup(restic, Live)));
        yield return Of("borg create", Peers.Missing("borg"), borg, savedBorg, borgCreate,
            () => Measure(borg, Peers.BorgCreate(borg, Live)));
        if (percent == 0)
        {
            // The peers' result for a file that nobody has even touched since they last read it.
            yield return Of("restic backup (file not touched)", Peers.Missing("restic"), restic, savedRestic, resticBackup,
                () => Measure(restic, Peers.ResticBackup(restic, Live)),
                before: () => Peers.ResticBackup(restic, Live).Run());
            yield return Of("borg create (file not touched)", Peers.Missing("borg"), borg, savedBorg, borgCreate,
                () => Measure(borg, Peers.BorgCreate(borg, Live)),
                before: () => Peers.BorgCreate(borg, Live, Peers.Archive(1)).Run());
        }
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var ours = result[Ours];
        var what = string.Create(CultureInfo.InvariantCulture, $"incremental, {percent} % changed");
        return
        [
            .. percent > 1 ? [] : (Line[])
            [
                .. Line.Of($"{what}, verified, whole process / openssl dgst -sha256", result.WallRatio(result[Verified]), 4.5, "x"),
                .. Line.Of($"{what}, not verified, whole process / openssl dgst -sha256", result.WallRatio(ours), 1.5, "x"),
                .. Line.Of($"{what}, not verified, engine / openssl dgst -sha256", result.InsideRatio(ours), 1.5, "x"),
                .. Line.Of($"{what}, not verified, engine in a warm process / openssl dgst -sha256", result.InsideRatio(result[OursWarm]), 1.5, "x"),
                .. Line.Of($"{what}, bytes added, digest cache apart", ours?.Reported(Added)?.Median, percent == 0 ? 102_400 / 1e6 : (8 << 20) / 1e6, "MB"),
            ],
            .. Line.Of($"{what}, peak memory", ours?.PeakMemory?.Median / 1e6, 200, "MB"),
        ];
    }

    /// <param name="name">The contestant's name.</param>
    /// <param name="missing">Why it cannot run, or null.</param>
    /// <param name="repository">Its repository.</param>
    /// <param name="first">The repository with the first state in it.</param>
    /// <param name="back">Makes the repository and stores the first state.</param>
    /// <param name="run">Stores the changed state.</param>
    /// <param name="before">Runs before that, untimed.</param>
    /// <param name="check">Runs after it, untimed.</param>
    /// <param name="hasSize">Whether the repository then holds the result of one run, and not of several.</param>
    private Contestant Of(
        string name,
        string? missing,
        string repository,
        SavedState first,
        Action back,
        Func<Sample> run,
        Action? before = null,
        Action? check = null,
        bool hasSize = true) => new()
        {
            Name = name,
            Missing = missing,
            Inputs = [Live, repository],
            Outputs = hasSize ? [repository] : [],
            Prepare = () =>
            {
                if (!first.IsSaved)
                {
                    Reset();
                    Workspace.Delete(repository);
                    back();
                    first.Save();
                }

                Change();
                first.Restore();
                before?.Invoke();
            },
            Run = run,
            Check = check ?? (static () => { }),
        };

    private Sample Measure(string repository, Command command)
    {
        var before = Workspace.SizeWithoutCache(repository);
        var sample = Required(command.Run());
        var reported = new Dictionary<string, double>(sample.Reported)
        {
            [Added] = (Workspace.SizeWithoutCache(repository) - before) / 1e6,
        };
        if (Directory.Exists(Path.Combine(repository, Module.Cache)))
        {
            reported[Digests] = Workspace.SizeOf(Path.Combine(repository, Module.Cache)) / 1e6;
        }

        return sample with { Reported = reported };
    }

    /// <summary>Returns the sample, if the increment has exactly the pages that changed since the first state.</summary>
    private Sample Required(Sample sample) =>
        !sample.Reported.TryGetValue(Module.Pages, out var pages) || pages == Pages
            ? sample
            : throw new BenchException(string.Create(CultureInfo.InvariantCulture, $"{pages} pages were backed up instead of {Pages}."));

    private void Reset()
    {
        state = State.Unknown;
        Directory.CreateDirectory(Path.GetDirectoryName(Live)!);
        File.Copy(database, Live, overwrite: true);
        state = State.First;
    }

    private void Change()
    {
        if (state == State.Unknown)
        {
            Reset();
        }

        if (state == State.First)
        {
            state = State.Unknown;
            PageChanges.Make(Live, Pages, seed: 1);

            // The peers look for changes only if this time differs. SQLite does not always set it in WAL mode, so it is set here.
            File.SetLastWriteTimeUtc(Live, DateTime.UtcNow);
            state = State.Changed;
        }
    }
}
