using System.Diagnostics;

namespace SignalHarvester.Backup.Bench.Children;

/// <summary>Runs only the check, in the same SQLite with which the module verifies.</summary>
internal static class IntegrityCheck
{
    /// <param name="database">The database to check.</param>
    public static void Run(string database)
    {
        // A read-only connection would leave -wal and -shm beside the file for later runs.
        using var connection = BenchDatabase.Open(database);
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check";
        command.CommandTimeout = 0;
        var watch = Stopwatch.StartNew();
        var answer = (string?)command.ExecuteScalar();
        Command.Report("inside", watch.Elapsed.TotalSeconds);
        if (answer != "ok")
        {
            throw new BenchException(answer ?? "integrity_check gave no answer.");
        }
    }
}
