using System.Diagnostics;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>
/// How long a protection that was stopped needs to be up to date again: from the start of its process until everything that was committed
/// meanwhile is stored. If the log goes on, it is read on; if it began anew, the whole database is compared.
/// </summary>
internal sealed class ContinuousCatchUp(Workspace workspace, string database, Module module) : Step
{
    private const string Nothing = "nothing was committed";
    private const string Goes = "the log goes on";
    private const string Anew = "the log began anew";
    private const int Rows = 1000;

    private readonly ProtectedPlace place = new(workspace["continuous"]);
    private readonly ModuleProtection protection = new(module);
    private long before;

    private string Live => place[ProtectedPlace.NameOf(0)];

    public override string Name => "continuous-catch-up";

    public override string Title => "Continuous protection is started again, after a thousand commits";

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Of(Nothing, transactions: 0, gaps: 0, _ => { });
        yield return Of(Goes, Rows, gaps: 0, AddRows);
        yield return Of(Anew, transactions: 1, gaps: 1, connection =>
        {
            AddRows(connection);
            BenchDatabase.Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            AddRows(connection);
        });
    }

    public override IEnumerable<Line> Judge(StepResult result)
    {
        return
        [
            .. Line.Of("continuous protection, up to date again, the log goes on, less the start", Since(Goes), 1, "s"),
            .. Line.Of(
                "continuous protection, up to date again, the log began anew, less the start, for 10 GiB",
                Since(Anew) * (10.0 * (1 << 30) / new FileInfo(database).Length), 12, "s"),
        ];

        double? Since(string contestant) =>
            result[contestant]?.Wall?.Median - result[Nothing]?.Wall?.Median is { } seconds ? Math.Max(0, seconds) : null;
    }

    private static void AddRows(SqliteConnection connection)
    {
        for (var row = 0; row < Rows; row++)
        {
            BenchDatabase.Execute(
                connection,
                $"INSERT INTO signals(source, kind, score, payload, digest, created_at) VALUES ('{Commit.Source}', 'api', 0.5, 'x', x'00', '2026-11-22T00:00:00')");
        }
    }

    private Contestant Of(string name, int transactions, int gaps, Action<SqliteConnection> commit) => new()
    {
        Name = name,
        IsBaseline = transactions == 0,
        Missing = protection.Missing,
        Outputs = [place.Folder],
        Prepare = () =>
        {
            place.Make(database, copies: 1);
            using var neighbour = new Neighbour(module.Protect(place), place.Log);
            neighbour.WaitUntil(() => protection.CountReady([.. place.Store.List()]) == 1 && IsUpToDate(transaction: 0));
            _ = neighbour.Stop();
            before = Status()!.Value.GetProperty("transaction").GetInt64();
        },
        Run = () =>
        {
            // The application stays, as it does while a protection is started again.
            using var connection = BenchDatabase.Open(Live);
            BenchDatabase.Execute(connection, "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL");
            commit(connection);
            Workspace.Settle();
            var from = Stopwatch.GetTimestamp();
            using var neighbour = new Neighbour(module.Protect(place), place.Log);
            neighbour.WaitUntil(() => IsUpToDate(before + transactions));
            var sample = new Sample(Stopwatch.GetElapsedTime(from).TotalSeconds);
            var found = Status()!.Value.GetProperty("gaps").GetInt64();
            _ = neighbour.Stop();
            return found == gaps ? sample : throw new BenchException($"It had {found} gaps, not {gaps}.");
        },
    };

    private bool IsUpToDate(long transaction) => Status() is { } status
        && status.GetProperty("state").GetString() == "Following"
        && status.GetProperty("lag").GetString() == TimeSpan.Zero.ToString()
        && status.GetProperty("transaction").GetInt64() is var seen && seen >= transaction
        && status.GetProperty("stored_transaction").GetInt64() == seen
        && status.TryGetProperty("restorable_to", out _);

    private JsonElement? Status() =>
        Directory.Exists(place.Home) && Directory.EnumerateFiles(place.Home, "status.json", SearchOption.AllDirectories).FirstOrDefault() is { } file
            ? JsonElement.Parse(File.ReadAllText(file))
            : null;
}
