using System.Diagnostics;

namespace SignalHarvester.Backup.Bench.Children;

/// <summary>The check alone, in the same SQLite that the module verifies with.</summary>
internal static class IntegrityCheck
{
    /// <param name="database">The database to check.</param>
    public static void Run(string database)
    {
        // A read-only connection would leave -wal and -shm beside the file for those that come after.
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
