using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

public sealed class InvariantTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(JournalMode.Wal, 1)]
    [InlineData(JournalMode.Wal, 1000)]
    [InlineData(JournalMode.Delete, 1000)]
    public void The_writers_own_database_holds_the_invariant(JournalMode mode, int walAutoCheckpoint)
    {
        var options = Options() with { JournalMode = mode, WalAutoCheckpoint = walAutoCheckpoint, Threads = 3 };
        var report = RunFor(options, commits: 300);

        Assert.Equal(report.Commits, Invariant.Check(options.DatabasePath, options.CommitJournalPath));
    }

    [Fact]
    public void A_killed_writer_leaves_a_sound_database_and_can_go_on()
    {
        var options = Options();
        long before;
        using (var writer = WriterProcess.Start(options))
        {
            writer.WaitForCommits(200);
            writer.Kill();
            before = Invariant.Check(options.DatabasePath, options.CommitJournalPath);
            Assert.InRange(before, writer.CommittedAtLeast, writer.CommittedAtMost);
        }

        var report = RunFor(options, commits: 200);
        Assert.Equal(before + report.Commits, Invariant.Check(options.DatabasePath, options.CommitJournalPath));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Half_the_pages_of_one_moment_and_half_of_another_are_found(int oldHalf)
    {
        var options = Options();
        RunFor(options, commits: 500);
        var before = File.ReadAllBytes(options.DatabasePath);
        RunFor(options, commits: 3);
        var torn = File.ReadAllBytes(options.DatabasePath);
        var pages = before.Length / options.PageSize;
        for (var page = 0; page < pages; page++)
        {
            if (page * 2 / pages == oldHalf)
            {
                before.AsSpan(page * options.PageSize, options.PageSize).CopyTo(torn.AsSpan(page * options.PageSize));
            }
        }

        File.WriteAllBytes(folder["torn.db"], torn);

        Assert.Throws<InvariantBrokenException>(() => Invariant.Check(folder["torn.db"], options.CommitJournalPath));
    }

    [Theory]
    [InlineData("UPDATE account SET balance = balance + 1 WHERE id = 7")]
    [InlineData("UPDATE account SET version = version + 1 WHERE id = 7")]
    [InlineData("UPDATE account SET padding = zeroblob(length(padding)) WHERE id = 7")]
    [InlineData("UPDATE account SET id = 100000 WHERE id = 7")]
    [InlineData("DELETE FROM account WHERE id = (SELECT max(id) FROM account)")]
    [InlineData("DELETE FROM journal WHERE sequence = 2")]
    [InlineData("DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)")]
    [InlineData("UPDATE journal SET amount = amount + 1 WHERE sequence = 2")]
    [InlineData("DROP TABLE journal")]
    [InlineData("DELETE FROM ledger")]
    public void Any_single_difference_is_found(string change)
    {
        var options = Options();
        RunFor(options, commits: 50);
        using (var connection = Databases.Open(options.DatabasePath))
        {
            Databases.Execute(connection, change);
        }

        Assert.Throws<InvariantBrokenException>(
            () => Invariant.Check(options.DatabasePath, options.CommitJournalPath));
    }

    [Fact]
    public void A_history_that_is_not_the_writers_is_found()
    {
        var options = Options();
        RunFor(options, commits: 50);
        var other = options with { DatabasePath = folder["other.db"] };
        RunFor(other, commits: 50);

        Assert.Throws<InvariantBrokenException>(
            () => Invariant.Check(options.DatabasePath, other.CommitJournalPath));
    }

    [Fact]
    public void An_older_state_of_the_database_holds_and_the_writer_goes_on_from_it()
    {
        var options = Options();
        RunFor(options, commits: 50);
        File.Copy(options.DatabasePath, folder["old.db"]);
        RunFor(options, commits: 2000);
        var old = Invariant.Check(folder["old.db"], options.CommitJournalPath);

        File.Copy(folder["old.db"], options.DatabasePath, overwrite: true);
        var report = RunFor(options, commits: 10);

        Assert.Equal(old + report.Commits, Invariant.Check(options.DatabasePath, options.CommitJournalPath));
    }

    [Fact]
    public void A_writer_that_cannot_start_says_why()
    {
        var options = Options() with { DatabasePath = folder["no such folder", "a.db"] };

        var error = Assert.Throws<InvalidOperationException>(() => WriterProcess.Start(options));

        Assert.Contains("unable to open database file", error.Message, StringComparison.Ordinal);
    }

    private WriterOptions Options() => new() { DatabasePath = folder["ledger.db"], Accounts = 500 };

    private static WriterReport RunFor(WriterOptions options, long commits)
    {
        using var writer = WriterProcess.Start(options);
        writer.WaitForCommits(commits);
        return writer.Stop();
    }
}
