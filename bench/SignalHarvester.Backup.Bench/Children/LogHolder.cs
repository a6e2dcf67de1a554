namespace SignalHarvester.Backup.Bench.Children;

/// <summary>
/// A process that has a database open until its input closes, as an application does. The write-ahead log stays, because no other
/// connection is the last to close. When this one closes, it checkpoints the log and deletes it.
/// </summary>
internal static class LogHolder
{
    public const string Verb = "hold-log";

    /// <param name="database">The database, in WAL mode.</param>
    public static void Run(string database)
    {
        using var connection = BenchDatabase.Open(database);
        BenchDatabase.Execute(connection, "PRAGMA wal_autocheckpoint = 0; SELECT count(*) FROM sqlite_schema");
        Console.WriteLine(Companion.Ready);
        Console.In.ReadToEnd();
    }
}
