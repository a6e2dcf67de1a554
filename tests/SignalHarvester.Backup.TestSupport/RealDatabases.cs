using Xunit;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// Databases of other projects: tests/run.sh takes them from packages into the assets folder. All are in rollback-journal mode.
/// </summary>
public static class RealDatabases
{
    /// <summary>
    /// proj: coordinate systems, 8 MiB, triggers and WITHOUT ROWID tables. airports: 23 MiB, many indexes. pinyin: 59 MiB,
    /// page size 1024.
    /// </summary>
    public static IReadOnlyList<string> Names { get; } = ["proj", "airports", "pinyin"];

    /// <summary>Returns the reason to skip; null if the database is there.</summary>
    public static string? SkipReason(string name) =>
        File.Exists(PathOf(name)) ? null : $"The real database '{name}' is not there (tests/run.sh fetches it)";

    /// <summary>Copies the database to a path; skips the running test, visibly, if it was not fetched.</summary>
    /// <returns><paramref name="path"/>.</returns>
    public static string Copy(string name, string path, JournalMode journalMode = JournalMode.Delete)
    {
        Assert.SkipWhen(SkipReason(name) is not null, SkipReason(name) ?? "");
        File.Copy(PathOf(name), path);
        if (journalMode == JournalMode.Wal)
        {
            using var connection = Databases.Open(path);
            Databases.Execute(connection, "PRAGMA journal_mode = WAL");
        }

        return path;
    }

    private static string PathOf(string name) => Path.Combine(TestAssets.Folder, name + ".db");
}
