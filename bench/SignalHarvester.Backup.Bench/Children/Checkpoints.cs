using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Bench.Children;

/// <summary>A process that commits a row and at once runs a checkpoint, again and again, and prints how long each mode took.</summary>
internal static class Checkpoints
{
    public const string Verb = "checkpoints";

    /// <summary>Milliseconds for which SQLite waits for a lock.</summary>
    public const int Timeout = 5000;

    /// <summary>The modes that wait for others.</summary>
    public static readonly IReadOnlyList<string> Modes = ["FULL", "RESTART", "TRUNCATE"];

    private const int Rounds = 60;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(130);

    // Where each waits for its whole timeout, twelve say as much as sixty.
    private static readonly TimeSpan LongestMode = TimeSpan.FromMinutes(1);

    /// <param name="database">A database in WAL mode, with the bench's table.</param>
    public static void Run(string database)
    {
        using var connection = BenchDatabase.Open(database);
        BenchDatabase.Execute(
            connection,
            string.Create(CultureInfo.InvariantCulture, $"PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = {Timeout}"));
        var busy = 0;
        foreach (var mode in Modes)
        {
            var times = new List<double>(Rounds);
            for (var began = Stopwatch.GetTimestamp(); times.Count < Rounds && Stopwatch.GetElapsedTime(began) < LongestMode;)
            {
                Thread.Sleep(Pause);
                BenchDatabase.Execute(
                    connection,
                    $"INSERT INTO signals(source, kind, score, payload, digest, created_at) VALUES ('{Commit.Source}', 'api', 0.5, 'x', x'00', '2026-11-22')");
                var start = Stopwatch.GetTimestamp();
                busy += IsBusy(connection, mode) ? 1 : 0;
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            times.Sort();
            Command.Report(P50(mode), Quantile.Of(times, 0.50));
            Command.Report(P99(mode), Quantile.Of(times, 0.99));
        }

        Command.Report("busy", busy);
    }

    /// <summary>The column for a mode's median.</summary>
    public static string P50(string mode) => $"{mode} p50 ms";

    /// <summary>The column for what one in a hundred exceeds: with so few rounds, the longest.</summary>
    public static string P99(string mode) => $"{mode} p99 ms";

    private static bool IsBusy(SqliteConnection connection, string mode)
    {
        using var checkpoint = connection.CreateCommand();
        checkpoint.CommandText = $"PRAGMA wal_checkpoint({mode})";
        return (long)checkpoint.ExecuteScalar()! != 0;
    }
}
