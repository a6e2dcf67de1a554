using SignalHarvester.Backup.Bench.Children;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// Restores a database with an hour of transactions behind its full backup: 3,600 segments of one commit each, made in six minutes. Beside it the
/// full backup alone, from the same store, and Litestream with as many objects behind its snapshot.
/// </summary>
internal sealed class ContinuousRestore : Step
{
    private const string Full = "Restore-SHBackup -Transaction (the full backup)";
    private const string Hour = "Restore-SHBackup -PointInTime (and an hour of transactions)";
    private const string Peer = "litestream restore (and an hour of transactions)";
    private const int Interval = 100;
    private const int Segments = 3600;

    private readonly Workspace workspace;
    private readonly string database;
    private readonly Module module;
    private readonly Restoration restoration;
    private readonly ModuleProtection ours;
    private readonly ProtectedPlace place;
    private readonly LitestreamProtection litestream = new();
    private readonly ProtectedPlace peerPlace;
    private string? fullHash;
    private string? newestHash;

    /// <param name="workspace">The bench's files.</param>
    /// <param name="database">What is copied and protected.</param>
    /// <param name="module">The module.</param>
    public ContinuousRestore(Workspace workspace, string database, Module module)
    {
        (this.workspace, this.database, this.module) = (workspace, database, module);
        (restoration, ours) = (new Restoration(workspace), new ModuleProtection(module));
        (place, peerPlace) = (new ProtectedPlace(workspace["continuous"]), new ProtectedPlace(workspace["continuous-peer"]));
    }

    public override string Name => "continuous-restore";

    public override string Title => "Restore from a stream: the full backup, and an hour of transactions after it";

    private string Live => place[ProtectedPlace.NameOf(0)];

    private string PeerLive => peerPlace[ProtectedPlace.NameOf(0)];

    private string PeerRestored => workspace["litestream.db"];

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(Full, "-Transaction 0", () => fullHash!, isBaseline: true);
        yield return Of(Hour, "-PointInTime 2100-01-01", () => newestHash!, isBaseline: false);
        yield return new Contestant
        {
            Name = Peer,
            Missing = litestream.Missing,
            Inputs = [peerPlace.Folder],
            Outputs = [PeerRestored],
            Prepare = Protect,
            Run = () => litestream.Restores(peerPlace, PeerLive, PeerRestored).Single().Command.Run(),
            Check = CheckPeer,
        };
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        .. Line.Of("restore of an hour of transactions / of their full backup, whole process", result.WallRatio(result[Hour]), 1.15, "x"),
        .. Line.Of("restore of an hour of transactions / of their full backup, cmdlet", result.InsideRatio(result[Hour]), 1.15, "x"),
        .. Line.Of("restore of an hour of transactions / litestream's", result[Hour]?.Wall?.Median / result[Peer]?.Wall?.Median, 1, "x"),
    ];

    private static void Work(Protection protection, ProtectedPlace place, string live, string log)
    {
        using var neighbour = new Neighbour(protection.Protect(place, TimeSpan.FromMilliseconds(Interval)), place.Log);
        neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == 1);
        using (Writer.Start(live, log, Interval, timeout: 5000))
        {
            neighbour.WaitUntil(() => place.Store.List().Count(stored => protection.IsObject(stored.FileName)) > Segments);
        }

        _ = neighbour.Stop();
    }

    private Contestant Of(string name, string which, Func<string> hash, bool isBaseline) => restoration.Of(
        name, ours.Missing, place.Folder, Protect,
        (_, target) => module.RestoreOf(place, Live, which, Restoration.FileIn(target), verify: false), hash, isBaseline);

    private void Protect()
    {
        if (newestHash is not null)
        {
            return;
        }

        place.Make(database, copies: 1);
        fullHash = Workspace.HashOf(Live);
        var other = Task.CompletedTask;
        if (litestream.Missing is null)
        {
            peerPlace.Make(database, copies: 1);
            other = Task.Run(() => Work(litestream, peerPlace, PeerLive, workspace["peer.log"]));
        }

        Work(ours, place, Live, workspace["commits.log"]);
        other.GetAwaiter().GetResult();
        newestHash = Workspace.HashOf(Live);
    }

    /// <summary>Its own tables are in the database, so that is not compared byte for byte. Its end may lack the last second.</summary>
    private void CheckPeer()
    {
        using var connection = BenchDatabase.Open(PeerRestored);
        using var count = connection.CreateCommand();
        count.CommandText = $"SELECT count(*) FROM signals WHERE source = '{Commit.Source}'";
        if ((long)count.ExecuteScalar()! is var rows && rows < Segments * 9 / 10)
        {
            throw new BenchException($"What was restored has {rows} of the commits.");
        }
    }
}
