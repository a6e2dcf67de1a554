using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Bench.Databases;

/// <summary>
/// Changes pages all over the bench's table, one row in each, and no other page. The same seed chooses the same pages everywhere;
/// their content differs each time, so that SQLite writes them.
/// </summary>
internal static class PageChanges
{
    /// <summary>The verb of this program for the changes.</summary>
    public const string Verb = "change";

    private const int PagesPerCommit = 1000;

    /// <summary>Returns the verb as a command without its last argument, the seed.</summary>
    public static Command Unseeded(string database, int pages) =>
        Command.Self(Verb, database, pages.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Makes the changes. They are checkpointed when the last connection closes: at the end of this method, or with the other process
    /// if that has the database open. Until then each is a frame in the log.
    /// </summary>
    /// <param name="database">A database made by <see cref="BenchDatabase"/>.</param>
    /// <param name="pages">The number of pages. If the table has fewer, it starts again, so that one page is changed several times.</param>
    /// <param name="seed">Chooses the pages.</param>
    public static void Make(string database, int pages, ulong seed)
    {
        long[] rows = [.. TableLeaves.Rows(database, RootPage(database))];
        var random = new SplitMix64(seed);
        for (var i = 0; i < Math.Min(pages, rows.Length); i++)
        {
            var other = i + random.Below(rows.Length - i);
            (rows[i], rows[other]) = (rows[other], rows[i]);
        }

        using var connection = BenchDatabase.Open(database);

        // A page that is spilled before its commit would be in the log, and counted, twice.
        BenchDatabase.Execute(connection, "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_spill = off; PRAGMA synchronous = normal");
        using var update = connection.CreateCommand();
        update.CommandText = "UPDATE signals SET score = score + 1 WHERE id = $id";
        var id = update.Parameters.Add("$id", SqliteType.Integer);
        var perCommit = Math.Min(PagesPerCommit, rows.Length);
        for (var first = 0; first < pages; first += perCommit)
        {
            using var transaction = connection.BeginTransaction();
            update.Transaction = transaction;
            for (var page = first; page < Math.Min(pages, first + perCommit); page++)
            {
                id.Value = rows[page % rows.Length];
                update.ExecuteNonQuery();
            }

            transaction.Commit();
        }
    }

    private static uint RootPage(string database)
    {
        using var connection = BenchDatabase.Open(database);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT rootpage FROM sqlite_schema WHERE name = 'signals'";
        return (uint)(long)command.ExecuteScalar()!;
    }
}
