using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>Databases for these tests, and the sqlite3 shell's view of them.</summary>
internal static class Sample
{
    /// <summary>
    /// Makes a database of some rows that compress and more that do not. In WAL mode its last MiB is in a log that no
    /// process has open, as after a crash.
    /// </summary>
    public static string Create(string path, JournalMode mode, int mebibytes)
    {
        var made = path + ".making";
        Databases.Create(made, new DatabaseShape { JournalMode = mode, Rows = 2000 });
        using (var connection = Databases.Open(made))
        {
            Databases.Execute(connection, "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
            AddBlobs(connection, mebibytes - 1);
            Databases.Scalar(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            AddBlobs(connection, 1);
            File.Copy(made, path);
            if (mode == JournalMode.Wal)
            {
                File.Copy(made + "-wal", path + "-wal");
            }
        }

        File.Delete(made);
        return path;
    }

    /// <summary>Adds rows that no codec can make smaller.</summary>
    public static void AddBlobs(SqliteConnection connection, int mebibytes) =>
        Databases.Execute(connection, string.Create(CultureInfo.InvariantCulture, $"""
            CREATE TABLE IF NOT EXISTS noise(id INTEGER PRIMARY KEY, content BLOB);
            INSERT INTO noise(content)
              WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {mebibytes * 128})
              SELECT randomblob(8100) FROM n;
            """));

    /// <summary>
    /// Returns SQLite's own hash of the schema and all rows, after integrity_check, from a process of its own: a hot journal is rolled
    /// back and a log recovered, as for any application.
    /// </summary>
    public static string Content(string path)
    {
        // The hash includes virtual tables (FTS5) through their shadow tables.
        var result = Tool.Require("sqlite3").RunWithInput("PRAGMA integrity_check;\n.sha3sum --schema\n", "-batch", path).EnsureSuccess();
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines is ["ok", _], $"{path}: {result.Output}{result.Error}");
        return lines[1];
    }
}
