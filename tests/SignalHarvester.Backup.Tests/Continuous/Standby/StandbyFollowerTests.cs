using System.Collections.Concurrent;
using System.Diagnostics;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Standby;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Standby;
using SignalHarvester.Backup.Tests.Continuous.Holder;
using SignalHarvester.Backup.Tests.Protection;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Standby;

/// <summary>A standby of a database that an application uses and a protection stores, read by an application of its own.</summary>
public sealed class StandbyFollowerTests : IDisposable
{
    private static readonly string[] Pragmas = ["journal_mode = WAL", "synchronous = OFF"];
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();
    private readonly StoreCatalog store;
    private readonly ConcurrentQueue<string> said = [];

    public StandbyFollowerTests() => store = new StoreCatalog(
        new StoreLocation { Provider = CloudProvider.Directory, Container = folder["store"] }, new StoreOptions(), TimeProvider.System);

    private string Database => folder["app.db"];

    private string Standby => folder["standby.db"];

    private ApplicationOptions Options => new() { DatabasePath = Database, Pragmas = Pragmas };

    public void Dispose()
    {
        store.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_standby_has_each_transaction_soon_and_is_the_database_byte_for_byte_in_the_end()
    {
        using var application = await Application.StartAsync(Options);
        _ = await application.WorkAsync(20);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        for (var round = 0; round < 3; round++)
        {
            using var following = new Following(this);
            for (var step = 0; step < 3; step++)
            {
                _ = await application.WorkAsync(20);
                following.Await(protecting.AwaitStored().StoredTransaction);
                var journal = TransactionRecord.Read(Options.JournalPath);
                var report = await reader.CheckAsync(Standby);
                Assert.Empty(report.ProblemsBeside(journal));
                Assert.Equal(journal.Count, report.Transactions);
            }

            Assert.Equal(round == 0, following.Follower.Status.Restored is not null);

            // Nobody follows these; the next one finds them.
            following.Stop();
            _ = await application.WorkAsync(20);
            _ = protecting.AwaitStored();
        }

        await application.EndAsync();
        using (var last = new Following(this))
        {
            last.Await(protecting.AwaitStored().StoredTransaction);
            last.Stop();
        }

        Assert.Null(protecting.Stop());
        Assert.False(File.Exists(Standby + "-wal"));
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Standby));
    }

    [Fact]
    public async Task What_somebody_has_written_to_a_standby_is_not_overwritten_unless_that_is_forced_and_then_kept()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        using var other = await Application.StartAsync(Options with { DatabasePath = Standby, Seed = 9, OpensAtStart = false });
        using (var following = new Following(this))
        {
            following.Await(protecting.Status.StoredTransaction);
            _ = (await other.OpenAsync()).Value;
            _ = await other.WorkAsync(2);
            Assert.Equal(BackupErrorId.StandbyChanged, following.End()!.ErrorId);
        }

        await other.EndAsync();
        var before = ImageHash.Of(Standby);
        Assert.Equal(BackupErrorId.StandbyChanged, Assert.Throws<BackupException>(() => new Following(this)).ErrorId);
        Assert.Equal(before, ImageHash.Of(Standby));
        using (var following = new Following(this, force: true))
        {
            Assert.NotNull(following.Follower.Status.Restored!.SafetyBackupId);
            _ = await application.WorkAsync(5);
            following.Await(protecting.AwaitStored().StoredTransaction);
            following.Stop();
        }

        await application.EndAsync();
        _ = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
    }

    /// <summary>Byte for byte, although SQLite counts its own copy in the first page, which no later transaction may write.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_the_stream_continues_from_a_backup_the_standby_is_restored_anew(bool goesOn)
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, folder["backups"], store))
        {
            _ = protecting.AwaitStored();
        }

        using var follows = new Following(this);
        _ = await application.WorkAsync(10);
        _ = await application.CheckpointAsync("TRUNCATE");
        _ = await application.WorkAsync(10);
        using (var protecting = new Protecting(Database, folder["backups"], store))
        {
            var status = protecting.AwaitStored();
            Assert.Equal(1, status.Gaps);
            follows.Await(status.StoredTransaction);
            Assert.Contains(said, message => message.Contains("is restored anew", StringComparison.Ordinal));
            _ = await application.WorkAsync(goesOn ? 10 : 0);
            await application.EndAsync();
            follows.Await(protecting.AwaitStored().StoredTransaction);
            Assert.Null(protecting.Stop());
        }

        follows.Stop();
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Standby));
    }

    [Fact]
    public async Task A_store_that_is_away_is_told_and_the_standby_goes_on_when_it_is_back()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        using var following = new Following(this);
        Directory.Move(folder["store"], folder["away"]);
        Until(() => said.Any(message => message.Contains("stands still at transaction", StringComparison.Ordinal)));
        _ = await application.WorkAsync(5);
        Directory.Move(folder["away"], folder["store"]);
        following.Await(protecting.AwaitStored().StoredTransaction);
        Until(() => said.Any(message => message.Contains("follows", StringComparison.Ordinal) && message.Contains("again", StringComparison.Ordinal)));
        following.Stop();
        await application.EndAsync();
        _ = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
    }

    /// <summary>Failover by one conditional put: what the old primary has stored is there, what it stores later is refused.</summary>
    [Fact]
    public async Task A_promoted_standby_has_everything_that_was_stored_and_the_former_primary_is_fenced()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = await application.WorkAsync(10);
        _ = protecting.AwaitStored();
        using (var following = new Following(this))
        {
            following.Await(protecting.Status.StoredTransaction);
            following.Stop();
        }

        _ = await application.WorkAsync(10);
        var stored = protecting.AwaitStored().StoredTransaction;
        var journal = TransactionRecord.Read(Options.JournalPath);
        using (var promoting = new Following(this, follows: false))
        {
            await promoting.Follower.PromoteAsync();
            Assert.Equal(stored, promoting.Follower.Status.Transaction);
        }

        Assert.False(StandbyFollower.IsStandby(Standby));
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        var report = await reader.CheckAsync(Standby);
        Assert.Empty(report.ProblemsBeside(journal));
        Assert.Equal(journal.Count, report.Transactions);

        _ = await application.WorkAsync(1);
        Assert.Equal(BackupErrorId.StreamFenced, protecting.End()!.ErrorId);
    }

    /// <summary>Two machines by turns, each with the database at the same path and a backup directory of its own.</summary>
    [Fact]
    public async Task A_promoted_standby_continues_the_stream_and_the_former_primary_follows_it_and_is_promoted_back()
    {
        string[] machines = ["first", "second"];
        for (var turn = 0; turn < 3; turn++)
        {
            var home = folder[machines[turn % 2]];
            var seed = turn + 1;
            if (turn > 0)
            {
                // What the other machine had is not on this one.
                File.Move(Database, folder[$"left {turn}.db"]);
                using var promoting = new Following(this, follows: false, standby: Database, home: home);
                await promoting.Follower.PromoteAsync();
                Assert.Equal(ImageHash.Of(folder[$"left {turn}.db"]), ImageHash.Of(Database));
            }

            using var application = await Application.StartAsync(Options with { Seed = seed });
            using var protecting = new Protecting(
                Database, home, store, new ProtectionOptions { CreatesContainer = true, TakesOver = turn > 0 });
            _ = protecting.AwaitStored();
            _ = await application.WorkAsync(15);
            await application.EndAsync();
            Assert.Equal(turn + 1, protecting.AwaitStored().Timeline);
            Assert.Null(protecting.Stop());
        }

        using var last = new Following(this);
        last.Stop();
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Standby));
    }

    [Fact]
    public async Task Of_two_that_are_promoted_at_once_one_is_the_primary()
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, folder["backups"], store))
        {
            _ = await application.WorkAsync(10);
            _ = protecting.AwaitStored();
            await application.EndAsync();
            _ = protecting.AwaitStored();
        }

        string loser;
        using (var one = new Following(this, follows: false))
        using (var other = new Following(this, follows: false, standby: folder["second.db"]))
        {
            var outcomes = await Task.WhenAll(new[] { one, other }.Select(PromoteAsync));
            Assert.Equal([null, BackupErrorId.StreamFenced], outcomes.Order());
            loser = outcomes[0] is null ? folder["second.db"] : Standby;
        }

        // It can take over from the one that was first, which has done nothing yet.
        using var again = new Following(this, follows: false, standby: loser);
        await again.Follower.PromoteAsync();
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(loser));

        static async Task<string?> PromoteAsync(Following promoting)
        {
            try
            {
                await Task.Run(promoting.Follower.PromoteAsync, TestContext.Current.CancellationToken);
                return null;
            }
            catch (BackupException exception)
            {
                return exception.ErrorId;
            }
        }
    }

    /// <summary>A seal in the place of a segment that somebody has deleted would fence nobody, and the standby would lack what follows.</summary>
    [Fact]
    public async Task Across_a_hole_in_the_stream_nothing_is_promoted()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        using (var following = new Following(this))
        {
            following.Await(protecting.Status.StoredTransaction);
            following.Stop();
        }

        var number = protecting.Status.Segment + 1;
        for (var step = 0; step < 3; step++)
        {
            _ = await application.WorkAsync(2);
            _ = protecting.AwaitStored();
        }

        using var stream = StreamStore.Open(store.Location, Database, new StoreOptions());
        await stream.DeleteAsync(new SegmentName(1, number), TestContext.Current.CancellationToken);
        using (var promoting = new Following(this, follows: false))
        {
            var error = await Assert.ThrowsAsync<BackupException>(promoting.Follower.PromoteAsync);
            Assert.Equal(BackupErrorId.StreamHole, error.ErrorId);
        }

        Assert.True(StandbyFollower.IsStandby(Standby));
        Assert.Null(await stream.FindAsync(new SegmentName(1, number), TestContext.Current.CancellationToken));
        _ = await application.WorkAsync(2);
        _ = protecting.AwaitStored();
        await application.EndAsync();
        Assert.Null(protecting.Stop());
    }

    /// <summary>The primary was lost between the segment that names a backup and the backup.</summary>
    [Fact]
    public async Task A_backup_that_never_arrived_does_not_keep_a_standby_from_being_promoted()
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, folder["backups"], store))
        {
            _ = await application.WorkAsync(5);
            _ = protecting.AwaitStored();
        }

        var journal = TransactionRecord.Read(Options.JournalPath);
        using (var following = new Following(this))
        {
            following.Stop();
        }

        _ = await application.WorkAsync(5);
        _ = await application.CheckpointAsync("TRUNCATE");
        _ = await application.WorkAsync(5);
        using (var protecting = new Protecting(Database, folder["backups"], store))
        {
            Assert.Equal(1, protecting.AwaitStored().Gaps);
            Assert.Null(protecting.Stop());
        }

        await application.EndAsync();
        foreach (var file in Directory.GetFiles(folder["store"]).Order(StringComparer.Ordinal).Skip(2))
        {
            File.Delete(file);
        }

        using (var promoting = new Following(this, follows: false))
        {
            await promoting.Follower.PromoteAsync();
        }

        Assert.Contains(said, message => message.Contains("has never arrived", StringComparison.Ordinal));
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        var report = await reader.CheckAsync(Standby);
        Assert.Empty(report.ProblemsBeside(journal));
        Assert.Equal(journal.Count, report.Transactions);
    }

    /// <summary>As a reader does that was in a transaction when the follower was stopped, and leaves last.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_standby_whose_log_its_last_reader_has_emptied_proves_itself_by_the_store(bool isChanged)
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = await application.WorkAsync(5);
        _ = protecting.AwaitStored();
        using var reader = await Application.StartAsync(Options with { DatabasePath = Standby, Seed = 3, OpensAtStart = false });
        using (var following = new Following(this))
        {
            following.Await(protecting.Status.StoredTransaction);
            _ = (await reader.OpenAsync()).Value;
            _ = (await reader.ExecuteAsync("BEGIN")).Value;
            _ = (await reader.ExecuteAsync("SELECT count(*) FROM ledger")).Value;
            _ = await application.WorkAsync(5);
            following.Await(protecting.AwaitStored().StoredTransaction);
            following.Stop();
        }

        _ = (await reader.ExecuteAsync("COMMIT")).Value;
        if (isChanged)
        {
            _ = await reader.WorkAsync(1);
        }

        await reader.EndAsync();
        Assert.False(File.Exists(Standby + "-wal"));
        if (isChanged)
        {
            Assert.Equal(BackupErrorId.StandbyChanged, Assert.Throws<BackupException>(() => new Following(this)).ErrorId);
        }
        else
        {
            using var next = new Following(this);
            Assert.Null(next.Follower.Status.Restored);
            _ = await application.WorkAsync(5);
            next.Await(protecting.AwaitStored().StoredTransaction);
            next.Stop();
        }

        await application.EndAsync();
        _ = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
    }

    /// <summary>The backup may take hours to fetch; the application may have been switched over to the standby meanwhile.</summary>
    [Fact]
    public async Task What_is_written_while_a_restore_anew_is_fetched_is_not_overwritten()
    {
        using var application = await Application.StartAsync(Options);
        using (var protecting = new Protecting(Database, folder["backups"], store))
        {
            _ = protecting.AwaitStored();
        }

        using (var following = new Following(this))
        {
            following.Stop();
        }

        _ = await application.WorkAsync(5);
        _ = await application.CheckpointAsync("TRUNCATE");
        _ = await application.WorkAsync(5);
        using (var protecting = new Protecting(Database, folder["backups"], store))
        {
            Assert.Equal(1, protecting.AwaitStored().Gaps);
            await application.EndAsync();
            _ = protecting.AwaitStored();
        }

        using var other = await Application.StartAsync(Options with { DatabasePath = Standby, Seed = 9, OpensAtStart = false });
        using (var following = new Following(this, onMessage: message =>
        {
            if (message.Contains("is restored anew", StringComparison.Ordinal))
            {
                _ = other.OpenAsync().GetAwaiter().GetResult().Value;
                _ = other.WorkAsync(1).GetAwaiter().GetResult();
            }
        }))
        {
            Assert.Equal(BackupErrorId.StandbyChanged, following.End()!.ErrorId);
        }

        var journal = TransactionRecord.Read(ApplicationOptions.JournalOf(Standby));
        Assert.Contains((await other.ExecuteAsync("SELECT max(id) FROM ledger")).Value.ToString(), $"[[{journal[^1].Number}]]", StringComparison.Ordinal);
        await other.EndAsync();
    }

    [Fact]
    public async Task A_standby_does_not_go_back_to_what_a_store_has_left_of_its_stream()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        var first = protecting.Status.Segment;
        _ = await application.WorkAsync(5);
        _ = protecting.AwaitStored();
        await application.EndAsync();
        _ = protecting.AwaitStored();
        using (var following = new Following(this))
        {
            following.Await(protecting.Status.StoredTransaction);
            following.Stop();
        }

        var before = ImageHash.Of(Standby);
        using var stream = StreamStore.Open(store.Location, Database, new StoreOptions());
        for (var number = protecting.Status.Segment; number > first; number--)
        {
            await stream.DeleteAsync(new SegmentName(1, number), TestContext.Current.CancellationToken);
        }

        using (var promoting = new Following(this, follows: false))
        {
            var error = await Assert.ThrowsAsync<BackupException>(promoting.Follower.PromoteAsync);
            Assert.Equal(BackupErrorId.StreamHole, error.ErrorId);
            Assert.Contains("leads to 0 only", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, ImageHash.Of(Standby));
        Assert.Null(protecting.Stop());
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    public async Task A_state_that_is_none_makes_no_standby_of_a_database(string state)
    {
        _ = await FollowedImage.MakeAsync(Options with { DatabasePath = Standby });
        await File.WriteAllTextAsync(Standby + StandbyFile.Suffix, state, TestContext.Current.CancellationToken);
        Assert.False(StandbyFollower.IsStandby(Standby));
    }

    /// <summary>As after a kill during it: the file may be what it was, or what it became.</summary>
    [Fact]
    public async Task A_restore_that_was_begun_is_done_again()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        using (var following = new Following(this))
        {
            following.Stop();
        }

        using (var state = StandbyFile.Open(Standby))
        {
            state.Save(state.State! with { IsRestoring = true });
        }

        await File.WriteAllTextAsync(Standby, "something", TestContext.Current.CancellationToken);
        using (var next = new Following(this))
        {
            Assert.NotNull(next.Follower.Status.Restored);
            next.Stop();
        }

        await application.EndAsync();
        _ = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
    }

    [Fact]
    public async Task The_protected_database_itself_is_no_standby_and_a_linked_state_is_not_written()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        Assert.Equal(
            BackupErrorId.DestinationInvalid, Assert.Throws<BackupException>(() => new Following(this, force: true, standby: Database)).ErrorId);
        Assert.False(File.Exists(Database + StandbyFile.Suffix));

        await File.WriteAllTextAsync(folder["victim"], "precious", TestContext.Current.CancellationToken);
        Tool.Require("ln").Run(folder["victim"], Standby + StandbyFile.Suffix).EnsureSuccess();
        Assert.Equal(BackupErrorId.WriteFailed, Assert.Throws<BackupException>(() => new Following(this)).ErrorId);
        Assert.Equal("precious", await File.ReadAllTextAsync(folder["victim"], TestContext.Current.CancellationToken));
        Assert.False(StandbyFollower.IsStandby(Standby));
        await application.EndAsync();
        _ = protecting.AwaitStored();
        Assert.Null(protecting.Stop());
    }

    [Fact]
    public async Task Two_processes_do_not_keep_one_standby()
    {
        using var application = await Application.StartAsync(Options);
        using var protecting = new Protecting(Database, folder["backups"], store);
        _ = protecting.AwaitStored();
        using var first = new Following(this);
        Assert.Equal(BackupErrorId.ProtectionRefused, Assert.Throws<BackupException>(() => new Protecting(Standby, folder["more"], store)).ErrorId);
        Assert.Equal(BackupErrorId.StandbyRunning, Assert.Throws<BackupException>(() => new Following(this)).ErrorId);
        first.Stop();
    }

    private static void Until(Func<bool> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < Hang, "It did not come.");

            // The other side tells nobody.
            Thread.Sleep(20);
        }
    }

    /// <summary>A follower that runs on a thread of this process, until it is stopped.</summary>
    private sealed class Following : IDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task running;

        public Following(
            StandbyFollowerTests test, bool force = false, bool follows = true, string? standby = null, string? home = null, Action<string>? onMessage = null)
        {
            var context = new OperationContext(
                TimeProvider.System,
                told =>
                {
                    if (told is OperationMessage message)
                    {
                        test.said.Enqueue(message.Text);
                        onMessage?.Invoke(message.Text);
                    }
                },
                stop.Token);
            var own = new BackupDirectory(home ?? test.folder["home"], TimeProvider.System);
            var options = new RestoreOptions { Destination = standby ?? test.Standby, SafetyDirectory = own };
            Follower = StandbyFollower.BeginAsync(test.store, test.Database, options, force, own, context).GetAwaiter().GetResult();
            running = follows ? Task.Run(Follower.RunAsync) : Task.CompletedTask;
        }

        public StandbyFollower Follower { get; }

        public void Await(long transaction) => Until(() => Follower.Status.Transaction >= transaction);

        public void Stop()
        {
            stop.Cancel();
            Assert.Null(End());
            Follower.Dispose();
        }

        public BackupException? End()
        {
            try
            {
                running.WaitAsync(Hang).GetAwaiter().GetResult();
                return null;
            }
            catch (BackupException exception)
            {
                return exception;
            }
        }

        public void Dispose()
        {
            stop.Cancel();
            _ = End();
            Follower.Dispose();
            stop.Dispose();
        }
    }
}
