using System.Globalization;
using SignalHarvester.Backup.Bench.Children;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// Restores a database with an hour of transactions behind its full backup: 3,600 segments of one commit each, made in six minutes. Beside it the
/// full backup alone, from the same store.
/// </summary>
internal sealed class ContinuousRestore(Workspace workspace, string database, Module module) : Step
{
    private const string Full = "Restore-SHBackup -Transaction (the full backup)";
    private const string Hour = "Restore-SHBackup -PointInTime (and an hour of transactions)";
    private const int Interval = 100;
    private const int Segments = 3600;

    private readonly Restoration restoration = new(workspace);
    private readonly ProtectedPlace place = new(workspace["continuous"]);
    private readonly ModuleProtection protection = new(module);
    private string? fullHash;
    private string? newestHash;

    private string Live => place[ProtectedPlace.NameOf(0)];

    public override string Name => "continuous-restore";

    public override string Title => "Restore from a stream: the full backup, and an hour of transactions after it";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(Full, "-Transaction 0", () => fullHash!, isBaseline: true);
        yield return Of(Hour, "-PointInTime 2100-01-01", () => newestHash!, isBaseline: false);
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        .. Line.Of("restore of an hour of transactions / of their full backup, whole process", result.WallRatio(result[Hour]), 1.15, "x"),
        .. Line.Of("restore of an hour of transactions / of their full backup, cmdlet", result.InsideRatio(result[Hour]), 1.15, "x"),
    ];

    private Contestant Of(string name, string which, Func<string> hash, bool isBaseline) => restoration.Of(
        name, protection.Missing, place.Folder, Protect,
        (_, target) => module.RestoreOf(place, Live, which, Restoration.FileIn(target), verify: false), hash, isBaseline);

    private void Protect()
    {
        if (newestHash is not null)
        {
            return;
        }

        place.Make(database, copies: 1);
        fullHash = Workspace.HashOf(Live);
        using var neighbour = new Neighbour(
            module.Protect(place, string.Create(CultureInfo.InvariantCulture, $"-Interval {Interval / 1000.0} -BackupInterval 1d")), place.Log);
        neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == 1);
        using (Writer.Start(Live, workspace["commits.log"], Interval, timeout: 5000))
        {
            neighbour.WaitUntil(() => place.Store.List().Count(stored => protection.IsObject(stored.FileName)) > Segments);
        }

        _ = neighbour.Stop();
        newestHash = Workspace.HashOf(Live);
    }
}
