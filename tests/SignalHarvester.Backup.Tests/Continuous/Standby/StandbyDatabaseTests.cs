using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Continuous.Standby;
using SignalHarvester.Backup.Tests.Continuous.Holder;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Standby;

/// <summary>A database that takes the transactions of another one, while applications read it, each with an SQLite of its own.</summary>
public sealed class StandbyDatabaseTests : IDisposable
{
    private const string Count = "SELECT count(*) FROM ledger";

    private static readonly string[] Pragmas = ["journal_mode = WAL", "synchronous = OFF"];

    private readonly TempFolder folder = new();

    private string Database => folder["app.db"];

    private string Standby => folder["standby.db"];

    public void Dispose() => folder.Dispose();

    /// <summary>Over several regions of the index, and with logs that are begun anew.</summary>
    [Theory]
    [InlineData(ApplicationLibrary.System, false)]
    [InlineData(ApplicationLibrary.Old, false)]
    [InlineData(ApplicationLibrary.Bundled, false)]
    [InlineData(ApplicationLibrary.System, true)]
    [InlineData(ApplicationLibrary.Old, true)]
    public async Task Readers_see_whole_commits_and_the_standby_is_the_database_byte_for_byte(ApplicationLibrary library, bool checkpoints)
    {
        Assert.SkipWhen(Application.SkipReason(library) is not null, Application.SkipReason(library) ?? "");
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = Pragmas };
        await File.WriteAllBytesAsync(Standby, await FollowedImage.MakeAsync(options), TestContext.Current.CancellationToken);
        using var application = await Application.StartAsync(options);
        using var reader = await Application.StartAsync(options with { DatabasePath = Standby, Library = library });
        var commits = new Commits();
        using var holder = LogHolder.Open(Database, commits, new HolderOptions(), TimeProvider.System);
        _ = holder.Begin(null, FileMark.Of(Database));
        using var standby = StandbyDatabase.Open(Standby);
        var applied = 0;
        for (var round = 0; round < 12; round++)
        {
            // A reader keeps its snapshot.
            _ = (await reader.ExecuteAsync("BEGIN")).Value;
            var held = (await reader.ExecuteAsync(Count)).Value.ToString();
            _ = await application.WorkAsync(30);
            if (round % 4 == 1)
            {
                _ = (await application.ExecuteAsync("CREATE TABLE IF NOT EXISTS bulk(b)")).Value;
                _ = (await application.ExecuteAsync(
                    "INSERT INTO bulk WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000) SELECT randomblob(3000) FROM n"))
                    .Value;
            }

            if (round % 4 == 3)
            {
                _ = (await application.ExecuteAsync("DELETE FROM bulk")).Value;
                _ = (await application.ExecuteAsync("VACUUM")).Value;
            }

            Look(holder);
            foreach (var (pages, count) in commits.Take())
            {
                Apply(standby, pages, count);
                applied++;
            }

            Assert.Equal(held, (await reader.ExecuteAsync(Count)).Value.ToString());
            _ = (await reader.ExecuteAsync("COMMIT")).Value;
            Assert.NotEqual(held, (await reader.ExecuteAsync(Count)).Value.ToString());
            var report = await reader.CheckAsync(Standby);
            Assert.Empty(report.ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
            Assert.Equal(TransactionRecord.Read(options.JournalPath).Count, report.Transactions);
            if (checkpoints)
            {
                Assert.NotNull(standby.Copy());
                standby.Empty();
                Assert.Equal(0u, standby.End.MaxFrame);
            }
        }

        Assert.InRange(applied, 12 * 10, int.MaxValue);
        await application.EndAsync();
        holder.Close();
        await reader.EndAsync();
        standby.Close();
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Standby));
    }

    [Fact]
    public async Task What_somebody_else_has_written_is_not_overwritten()
    {
        var options = new ApplicationOptions { DatabasePath = Standby, Pragmas = Pragmas };
        _ = await FollowedImage.MakeAsync(options);
        using var standby = StandbyDatabase.Open(Standby);
        var page = new FollowedPage(1, File.ReadAllBytes(Standby).AsMemory(0, standby.PageSize));
        Apply(standby, [page], standby.PageCount);
        var planned = standby.Plan([page], standby.PageCount);
        using var other = await Application.StartAsync(options);
        _ = await other.WorkAsync(3);
        Assert.Equal(AppendOutcome.Changed, standby.Append(planned));
        Assert.False(standby.IsUnchanged());
        Assert.Empty((await other.CheckAsync(Standby)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
        await other.EndAsync();
    }

    private static void Look(LogHolder holder)
    {
        while (!holder.Look() || holder.State == HolderState.Open)
        {
        }
    }

    private static void Apply(StandbyDatabase standby, IReadOnlyList<FollowedPage> pages, uint count)
    {
        var batch = new StandbyPages(standby.PageSize, standby.PageCount);
        batch.Take(pages, count);
        AppendOutcome outcome;
        do
        {
            outcome = standby.Append(standby.Plan(batch.Pages, batch.PageCount));
        }
        while (outcome == AppendOutcome.Busy);

        Assert.Equal(AppendOutcome.Appended, outcome);
    }

    private sealed class Commits : ICommitSink
    {
        private readonly List<(IReadOnlyList<FollowedPage>, uint)> taken = [];

        public CommitCollector Begin() => new(long.MaxValue);

        public void Accept(CommitCollector commits) => taken.AddRange(commits.Commits.Select(commit => (commit.Pages, commit.PageCount)));

        public void Lost(string reason) => Assert.Fail(reason);

        public List<(IReadOnlyList<FollowedPage> Pages, uint PageCount)> Take()
        {
            var all = taken.ToList();
            taken.Clear();
            return all;
        }
    }
}
