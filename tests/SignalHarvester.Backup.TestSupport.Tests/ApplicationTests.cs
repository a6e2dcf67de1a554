using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class ApplicationTests : IDisposable
{
    // Of each process: it spills uncommitted pages into the log.
    private static readonly string[] SmallCache = ["journal_mode = WAL", "synchronous = OFF", "cache_size = 5"];

    private readonly TempFolder folder = new();

    private string Database => folder["app.db"];

    private string Copy => folder["copy.db"];

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(ApplicationLibrary.System)]
    [InlineData(ApplicationLibrary.Old)]
    [InlineData(ApplicationLibrary.Bundled)]
    public async Task What_two_of_them_committed_is_what_their_journal_says(ApplicationLibrary library)
    {
        Assert.SkipWhen(Application.SkipReason(library) is not null, Application.SkipReason(library) ?? "");
        var options = new ApplicationOptions { DatabasePath = Database, Library = library, Pragmas = SmallCache };
        using var first = await Application.StartAsync(options);
        using var second = await Application.StartAsync(options with { Seed = 2 });
        var done = await Task.WhenAll(first.WorkAsync(100), second.WorkAsync(100));
        var committed = done.Sum(one => one.Committed);

        var journal = TransactionRecord.Read(options.JournalPath);
        Assert.Equal(committed, journal.Count);
        Assert.All(journal, record => Assert.NotNull(record.After));
        Assert.Equal(200, done.Sum(one => one.Committed + one.RolledBack + one.Refused));
        var report = await first.CheckAsync(Database);
        Assert.Equal(committed, report.Transactions);
        Assert.Empty(report.ProblemsBeside(journal));
    }

    [Fact]
    public async Task One_that_is_killed_at_work_leaves_what_it_had_committed()
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = SmallCache };
        using (var victim = await Application.StartAsync(options))
        {
            var work = victim.WorkAsync(1_000_000);
            while (!File.Exists(options.JournalPath) || TransactionRecord.Read(options.JournalPath).Count < 50)
            {
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            victim.Kill();
            await Assert.ThrowsAnyAsync<IOException>(() => work);
        }

        using var next = await Application.StartAsync(options with { Seed = 2 });
        var journal = TransactionRecord.Read(options.JournalPath);
        var report = await next.CheckAsync(Database);
        Assert.Empty(report.ProblemsBeside(journal));
        Assert.InRange(report.Transactions, journal.Count(record => record.After is not null), journal.Count);
        Assert.Equal(10, await CommitAsync(next, 10));
        Assert.Empty((await next.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
    }

    [Theory]
    [InlineData("DELETE FROM ledger WHERE id = 20", "the ledger has a hole or a repetition")]
    [InlineData("DELETE FROM ledger WHERE id > 40", "the items are not those of transaction 40")]
    [InlineData("UPDATE item SET body = zeroblob(length(body)) WHERE id = 1", "item 1 is not as any transaction wrote it")]
    [InlineData("DELETE FROM item WHERE id = 1", "the items are not those of transaction")]
    [InlineData("UPDATE ledger SET digest = 5 WHERE id = 3", "transaction 3 is not the one that was committed")]
    [InlineData("INSERT INTO ledger SELECT 1 + max(id), digest FROM ledger", "but only")]
    public async Task An_image_of_no_moment_is_seen(string change, string problem)
    {
        using var application = await Application.StartAsync(new ApplicationOptions { DatabasePath = Database });
        Assert.InRange(await CommitAsync(application, 60), 41, 60);
        _ = (await application.ExecuteAsync($"VACUUM INTO '{Copy.Replace("'", "''", StringComparison.Ordinal)}'")).Value;
        using (var editor = Databases.Open(Copy))
        {
            Databases.Execute(editor, change);
        }

        var report = await application.CheckAsync(Copy);
        Assert.Contains(
            report.ProblemsBeside(TransactionRecord.Read(application.Options.JournalPath)), said => said.Contains(problem, StringComparison.Ordinal));
    }

    /// <summary>SQLite's WAL-reset bug, which needs two processes and a moment of nanoseconds: a checkpoint of a log that is none any more.</summary>
    [Theory]
    [InlineData(ApplicationLibrary.System, true)]
    [InlineData(ApplicationLibrary.Old, true)]
    [InlineData(ApplicationLibrary.Bundled, false)]
    public async Task A_checkpoint_that_stands_still_while_the_log_starts_again_loses_commits_in_old_libraries(ApplicationLibrary library, bool loses)
    {
        Assert.SkipWhen(Application.SkipReason(library) is not null, Application.SkipReason(library) ?? "");
        var options = new ApplicationOptions
        {
            DatabasePath = Database,
            Library = library,
            Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"],
        };
        using var writer = await Application.StartAsync(options);
        using var checkpointer = await Application.StartAsync(options with { Seed = 2 });
        Assert.SkipWhen(loses && checkpointer.SqliteVersion >= new Version(3, 51, 3), "the system's SQLite has that bug no longer");
        await checkpointer.StopAfterHeaderAsync();
        await CommitAsync(writer, 40);
        var backfilled = await writer.CheckpointAsync("PASSIVE");
        Assert.Equal(backfilled.Frames, backfilled.Done);

        var late = checkpointer.CheckpointAsync("PASSIVE");
        await checkpointer.Stopped;
        await CommitAsync(writer, 2);
        checkpointer.GoOn();
        await late;
        Assert.Equal(loses, await IsDamagedByWorkAsync(writer, backfilled.Frames));
    }

    /// <summary>Whether the database is no longer what was committed, once the log had more frames than these and was started again.</summary>
    private async Task<bool> IsDamagedByWorkAsync(Application application, int frames)
    {
        try
        {
            while ((await application.CheckpointAsync("PASSIVE")).Frames <= frames)
            {
                await CommitAsync(application, 10);
            }

            await CommitAsync(application, 1);
            await application.CheckpointAsync("TRUNCATE");
            return (await application.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(application.Options.JournalPath)).Count > 0;
        }
        catch (InvalidOperationException exception) when (exception.Message.Contains("malformed", StringComparison.Ordinal))
        {
            return true;
        }
    }

    private static async Task<int> CommitAsync(Application application, int wanted)
    {
        var committed = 0;
        while (committed < wanted)
        {
            committed += (await application.WorkAsync(1)).Committed;
        }

        return committed;
    }
}
