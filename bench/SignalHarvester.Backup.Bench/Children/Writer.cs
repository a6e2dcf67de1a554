using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Bench.Children;

/// <summary>A process that commits one row at a time until its input closes, and then writes down the duration of each commit.</summary>
internal static class Writer
{
    public const string Verb = "writer";

    /// <summary>Starts it with one database beside the contestants.</summary>
    /// <param name="database">As for <see cref="Run"/>.</param>
    /// <param name="log">Likewise.</param>
    /// <param name="interval">Likewise.</param>
    /// <param name="timeout">Likewise.</param>
    public static Companion Start(string database, string log, int interval, int timeout) => Start([database], log, interval, timeout);

    /// <summary>Starts it with several databases, which get the commits in turn.</summary>
    public static Companion Start(IEnumerable<string> databases, string log, int interval, int timeout) => new(
        [Verb, log, interval.ToString(CultureInfo.InvariantCulture), timeout.ToString(CultureInfo.InvariantCulture), .. databases]);

    /// <param name="databases">The databases, in WAL mode, with the bench's table.</param>
    /// <param name="log">The file for the commits.</param>
    /// <param name="interval">Milliseconds from one commit to the next; 0 for as many commits as possible.</param>
    /// <param name="timeout">Milliseconds for which SQLite waits for a lock before it refuses the commit.</param>
    public static async Task Run(IReadOnlyList<string> databases, string log, int interval, int timeout)
    {
        var connections = databases.Select(BenchDatabase.Open).ToList();
        foreach (var connection in connections)
        {
            BenchDatabase.Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = {timeout}"));
        }

        var stop = new CancellationTokenSource();
        _ = Task.Run(() =>
        {
            Console.In.ReadToEnd();
            stop.Cancel();
        });

        var commits = await Commits(connections, interval, stop.Token);
        Commit.WriteAll(log, commits);
        connections.ForEach(connection => connection.Dispose());
    }

    private static async Task<List<Commit>> Commits(List<SqliteConnection> connections, int interval, CancellationToken stop)
    {
        // Below Microsoft.Data.Sqlite, which would repeat a refused statement and so hide the refusal.
        var sql = $"""
            INSERT INTO signals(source, kind, score, payload, digest, created_at)
            VALUES ('{Commit.Source}', 'api', 0.5, '{new string('x', 500)}', ?1, '2026-11-22T00:00:00')
            """;
        var statements = connections.ConvertAll(connection =>
        {
            Check(connection, raw.sqlite3_prepare_v2(connection.Handle, sql, out var statement));
            return statement;
        });
        var commits = new List<Commit>(1 << 20);
        using var pace = interval == 0 ? null : new PeriodicTimer(TimeSpan.FromMilliseconds(interval));
        while (!stop.IsCancellationRequested)
        {
            var (connection, statement) = (connections[commits.Count % connections.Count], statements[commits.Count % connections.Count]);
            Check(connection, raw.sqlite3_bind_blob(statement, 1, Commit.MarkerOf(commits.Count)));
            var start = Stopwatch.GetTimestamp();
            var result = raw.sqlite3_step(statement);
            commits.Add(new Commit(start, Stopwatch.GetTimestamp() - start, result is raw.SQLITE_BUSY or raw.SQLITE_LOCKED));
            raw.sqlite3_reset(statement);
            if (result is not (raw.SQLITE_DONE or raw.SQLITE_BUSY or raw.SQLITE_LOCKED))
            {
                Check(connection, result);
            }

            if (commits.Count == 1)
            {
                Console.WriteLine(Companion.Ready);
            }

            if (pace is not null && !await Tick(pace, stop))
            {
                break;
            }
        }

        statements.ForEach(statement => statement.Dispose());
        return commits;
    }

    private static async Task<bool> Tick(PeriodicTimer pace, CancellationToken stop)
    {
        try
        {
            return await pace.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static void Check(SqliteConnection connection, int result)
    {
        if (result != raw.SQLITE_OK)
        {
            throw new BenchException(raw.sqlite3_errmsg(connection.Handle).utf8_to_string());
        }
    }
}
