using SignalHarvester.Backup.Bench.Children;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>How long the application's own checkpoints take, each right after a commit, which somebody who follows has not seen yet.</summary>
internal sealed class ContinuousCheckpoints(Workspace workspace, string database, Protection[] protections) : Step
{
    private const string Alone = "alone";

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(4);

    private readonly ProtectedPlace place = new(workspace["continuous"]);

    public override string Name => "continuous-checkpoints";

    public override string Title => $"Continuous protection to {place.Store.Title}: the application's own checkpoints, each right after a commit";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(Alone, missing: null, Checkpoint);
        foreach (var protection in protections)
        {
            yield return Of(protection.Name, protection.Missing, () =>
            {
                using var neighbour = new Neighbour(protection.Protect(place), place.Log);
                neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == 1);
                Thread.Sleep(Rest);
                var sample = Checkpoint();
                _ = neighbour.Stop();
                return sample;
            });
        }
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        var (alone, ours) = (result[Alone], result[protections[0].Name]);
        return
        [
            .. Checkpoints.Modes.SelectMany(mode => Line.Of(
                $"an application's checkpoints ({mode}) under continuous protection, p99 less that of alone",
                ours?.Reported(Checkpoints.P99(mode))?.Median - alone?.Reported(Checkpoints.P99(mode))?.Median, 100, "ms")),
            .. Line.Of(
                "an application's checkpoints under continuous protection, the longest",
                Checkpoints.Modes.Max(mode => ours?.Reported(Checkpoints.P99(mode))?.Max), Checkpoints.Timeout - 1, "ms"),
        ];
    }

    private Contestant Of(string name, string? missing, Func<Sample> run) => new()
    {
        Name = name,
        IsBaseline = name == Alone,
        Missing = missing,
        Outputs = [place.Folder],
        Prepare = () => place.Make(database, copies: 1),
        Run = run,
    };

    private Sample Checkpoint() => Command.Self(Checkpoints.Verb, place[ProtectedPlace.NameOf(0)]).Run();
}
