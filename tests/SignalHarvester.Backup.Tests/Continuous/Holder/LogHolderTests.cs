using System.Security.Cryptography;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Holder;

/// <summary>
/// The holder beside applications, each a process of its own with an SQLite of its own. The numbers are those of the experiments in the
/// design of continuous protection.
/// </summary>
public sealed class LogHolderTests : IDisposable
{
    private const int ReadLock0 = 3;

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private static readonly string[] Spilling = ["journal_mode = WAL", "synchronous = OFF", "cache_size = 5"];

    private readonly TempFolder folder = new();

    private string Database => folder["app.db"];

    private string Other => folder["other.db"];

    public void Dispose() => folder.Dispose();

    /// <summary>R2: padded commits, spilled transactions, savepoints, rollbacks, every checkpoint mode, VACUUM, connections that come and go.</summary>
    [Theory]
    [InlineData(ApplicationLibrary.System, "psow=0", "FULL")]
    [InlineData(ApplicationLibrary.System, "", "NORMAL")]
    [InlineData(ApplicationLibrary.Old, "", "OFF")]
    [InlineData(ApplicationLibrary.Bundled, "psow=0", "FULL")]
    public async Task Nothing_that_applications_do_to_a_log_makes_a_gap(ApplicationLibrary library, string uri, string synchronous)
    {
        Assert.SkipWhen(Application.SkipReason(library) is not null, Application.SkipReason(library) ?? "");
        var options = new ApplicationOptions
        {
            DatabasePath = Database,
            Library = library,
            UriParameters = uri,
            Pragmas = ["journal_mode = WAL", $"synchronous = {synchronous}", "cache_size = 5", "wal_autocheckpoint = 50"],
        };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image);
        using var first = await Application.StartAsync(options);
        using var second = await Application.StartAsync(options with { Seed = 2 });
        foreach (var mode in (string[])["PASSIVE", "FULL", "RESTART", "TRUNCATE"])
        {
            _ = await Task.WhenAll(first.WorkAsync(20), second.WorkAsync(20));
            _ = await first.CheckpointAsync(mode);
            _ = await second.WorkAsync(3);
            _ = await first.ExecuteAsync("VACUUM");
            _ = await second.CloseAsync();
            _ = (await second.OpenAsync()).Value;
        }

        looking.AwaitRest();
        await first.EndAsync();
        await second.EndAsync();
        AssertFollowed(looking);
    }

    /// <summary>R9: it is asked for directly, because SQLite may silently give a mark instead; with another one's exclusive lock there is no rest.</summary>
    [Fact]
    public async Task Rest_begins_only_with_read_lock_0_and_keeps_others_from_taking_it_exclusively()
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF"] };
        var image = await FollowedImage.MakeAsync(options);
        var file = FileMark.Of(Database);
        using var application = await Application.StartAsync(options);
        _ = await application.WorkAsync(3);
        using var locking = await Application.StartAsync(options with { Seed = 2 });
        Assert.Equal(0, await locking.LockAsync(ReadLock0, 1, ShmLockCall.LockExclusive));
        using var looking = new Looking(Database, image, rest: file);
        looking.Await(holder => holder.State == HolderState.Follow);
        for (var some = 0; some < 3; some++)
        {
            looking.AwaitLooks();
            Assert.Equal(HolderState.Follow, looking.Ask(holder => holder.State));
        }

        Assert.Equal(0, await locking.LockAsync(ReadLock0, 1, ShmLockCall.UnlockExclusive));
        looking.AwaitRest();
        Assert.Equal(5, await locking.LockAsync(ReadLock0, 1, ShmLockCall.LockExclusive));
        Assert.Equal(0, (await application.WorkAsync(5)).Refused);
        await locking.EndAsync();
        await application.EndAsync();
        looking.AwaitRest();
        AssertFollowed(looking);
    }

    /// <summary>R1: a dead transaction in the log, and an application that does not wait.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_application_that_dies_in_a_transaction_starts_again_at_once(bool atRest)
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = Spilling, BusyTimeout = TimeSpan.Zero };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image, options: atRest ? null : new HolderOptions { Checkpoints = false });
        using (var victim = await Application.StartAsync(options))
        {
            _ = await victim.WorkAsync(10);
            if (atRest)
            {
                looking.AwaitRest();
            }

            _ = (await victim.ExecuteAsync("BEGIN IMMEDIATE")).Value;
            _ = (await victim.ExecuteAsync(
                "CREATE TABLE spilled AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200) SELECT x, zeroblob(4000) FROM n")).Value;
            victim.Kill();
        }

        using var next = await Application.StartAsync(options with { Seed = 2 });
        Assert.Equal(0, (await next.WorkAsync(20)).Refused);
        Assert.Empty((await next.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
        await next.EndAsync();
        if (atRest)
        {
            looking.AwaitRest();
            AssertFollowed(looking);
        }
        else
        {
            looking.Await(holder => holder.State != HolderState.Open);
            Assert.Empty(looking.Followed.Gaps);
        }
    }

    /// <summary>R1b: the header of the index is torn, and the application has an SQLite that must have all readers' locks to mend it.</summary>
    [Theory]
    [InlineData(ApplicationLibrary.System)]
    [InlineData(ApplicationLibrary.Old)]
    public async Task A_torn_index_does_not_keep_an_application_out(ApplicationLibrary library)
    {
        Assert.SkipWhen(Application.SkipReason(library) is not null, Application.SkipReason(library) ?? "");
        var options = new ApplicationOptions { DatabasePath = Database, Library = library };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image, options: new HolderOptions { Checkpoints = false });
        using (var victim = await Application.StartAsync(options))
        {
            _ = await victim.WorkAsync(10);
            looking.Await(holder => holder.State == HolderState.Follow);
            await victim.TearIndexAndDieAsync();
        }

        using var next = await Application.StartAsync(options with { Seed = 2 });
        var done = await next.WorkAsync(20);
        Assert.Equal(0, done.Refused);
        Assert.Empty((await next.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
        await next.EndAsync();
        looking.AwaitLooks();
        AssertFollowed(looking);
    }

    /// <summary>R1b: who mends the index begins to count at 0, so what came before that in a log that nobody has looked at is not proved.</summary>
    [Theory]
    [InlineData(ApplicationLibrary.System)]
    [InlineData(ApplicationLibrary.Old)]
    public async Task An_index_that_counts_anew_proves_nothing_of_a_log_that_was_begun_anew(ApplicationLibrary library)
    {
        Assert.SkipWhen(Application.SkipReason(library) is not null, Application.SkipReason(library) ?? "");
        var options = new ApplicationOptions { DatabasePath = Database, Library = library };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image);
        using (var victim = await Application.StartAsync(options))
        {
            _ = await victim.WorkAsync(10);
            looking.AwaitRest();
            looking.Pause();
            _ = await victim.WorkAsync(20);
            await victim.TearIndexAndDieAsync();
        }

        using var next = await Application.StartAsync(options with { Seed = 2 });
        Assert.Equal(0, (await next.WorkAsync(20)).Refused);
        looking.GoOn();
        looking.AwaitLooks();
        Assert.Contains("its index counts", looking.Ask(_ => Assert.Single(looking.Followed.Gaps)), StringComparison.Ordinal);
        Assert.Empty((await next.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
        await next.EndAsync();
    }

    /// <summary>R3: a connection that never began a log anew draws both salts at random.</summary>
    [Fact]
    public async Task A_log_that_one_empties_and_another_begins_is_followed()
    {
        var options = new ApplicationOptions { DatabasePath = Database };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image);
        using var first = await Application.StartAsync(options);
        using var second = await Application.StartAsync(options with { Seed = 2 });
        for (var round = 0; round < 10; round++)
        {
            _ = await second.WorkAsync(2);
            _ = await first.CheckpointAsync("TRUNCATE");
        }

        looking.AwaitRest();
        await first.EndAsync();
        await second.EndAsync();
        AssertFollowed(looking);
    }

    /// <summary>R4: the WAL-reset bug of old libraries, forced. Alone the database is lost (ApplicationTests); beside the holder it is not.</summary>
    [Theory]
    [InlineData(ApplicationLibrary.System, false)]
    [InlineData(ApplicationLibrary.System, true)]
    [InlineData(ApplicationLibrary.Old, true)]
    public async Task A_checkpoint_that_stands_still_while_the_log_begins_anew_harms_nothing(ApplicationLibrary library, bool standsTwice)
    {
        Assert.SkipWhen(Application.SkipReason(library) is not null, Application.SkipReason(library) ?? "");
        var options = new ApplicationOptions
        {
            DatabasePath = Database,
            Library = library,
            Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"],
        };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image);
        using var writer = await Application.StartAsync(options);
        using var checkpointer = await Application.StartAsync(options with { Seed = 2 });
        await checkpointer.StopAfterHeaderAsync();
        if (standsTwice)
        {
            // After it has looked at the marks, of which there is none at rest, and before it takes read lock 0.
            await checkpointer.StopBeforeLockAsync(ReadLock0, ShmLockCall.LockExclusive);
        }

        _ = await writer.WorkAsync(40);
        looking.AwaitRest();
        var late = checkpointer.CheckpointAsync("PASSIVE");
        await checkpointer.Stopped.WaitAsync(Hang, TestContext.Current.CancellationToken);
        looking.Pause();
        _ = await writer.WorkAsync(4);
        if (standsTwice)
        {
            checkpointer.GoOn();
            await checkpointer.Stopped.WaitAsync(Hang, TestContext.Current.CancellationToken);
        }

        looking.GoOn();
        looking.Await(holder => holder.State == HolderState.Follow);

        // What follows must find a holder that has gone on, which nothing shows from outside.
        looking.AwaitLooks();
        checkpointer.GoOn();
        _ = await late;
        for (var round = 0; round < 10; round++)
        {
            _ = await writer.WorkAsync(20);
            _ = await writer.CheckpointAsync("PASSIVE");
        }

        Assert.Empty((await writer.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
        await checkpointer.EndAsync();
        await writer.EndAsync();
        looking.AwaitRest();
        AssertFollowed(looking);
    }

    /// <summary>An application that commits after a rest, and checkpoints before anybody has looked, while lock 0 keeps pages from being copied.</summary>
    [Theory]
    [InlineData("FULL")]
    [InlineData("RESTART")]
    [InlineData("TRUNCATE")]
    public async Task A_checkpoint_that_waits_is_let_through(string mode)
    {
        var options = new ApplicationOptions
        {
            DatabasePath = Database,
            Pragmas = ["journal_mode = WAL", "wal_autocheckpoint = 0"],
        };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image);
        using var application = await Application.StartAsync(options);
        for (var round = 0; round < 3; round++)
        {
            _ = await application.WorkAsync(2);
            looking.AwaitRest();
            looking.Pause();
            _ = await application.WorkAsync(2);
            await application.StopBeforeLockAsync(ReadLock0, ShmLockCall.LockExclusive);
            var checkpoint = application.CheckpointAsync(mode);
            await application.Stopped.WaitAsync(Hang, TestContext.Current.CancellationToken);
            application.GoOn();
            looking.GoOn();
            Assert.False((await checkpoint).IsBusy);
        }

        await application.EndAsync();
        looking.AwaitRest();
        AssertFollowed(looking);
    }

    /// <summary>R5: another database is put in the place of one that we still have open.</summary>
    [Theory]
    [InlineData("rename")]
    [InlineData("copy over")]
    [InlineData("copy over with its time")]
    [InlineData("copy an earlier one over")]
    [InlineData("delete and make")]
    public async Task A_database_that_is_replaced_while_it_is_followed_is_not_harmed(string way)
    {
        var options = new ApplicationOptions { DatabasePath = Database };
        var image = await FollowedImage.MakeAsync(options);
        var other = options with { DatabasePath = Other, Seed = 7 };
        if (way == "copy an earlier one over")
        {
            File.Copy(Database, Other);
            File.Copy(options.JournalPath, other.JournalPath);
        }
        else
        {
            using var maker = await Application.StartAsync(other);
            _ = await maker.WorkAsync(200);
            await maker.EndAsync();
        }

        using (var looking = new Looking(Database, image))
        {
            using (var application = await Application.StartAsync(options))
            {
                _ = await application.WorkAsync(20);
                await application.EndAsync();
            }

            looking.AwaitRest();
            switch (way)
            {
                case "rename":
                    File.Move(Other, Database, overwrite: true);
                    break;
                case "delete and make":
                    File.Delete(Database);
                    File.Move(Other, Database);
                    break;
                default:
                    // Not by this process, which would lose its locks.
                    _ = Tool.Require("cp").Run(way == "copy over with its time" ? "--preserve" : "--no-preserve=timestamps", Other, Database).EnsureSuccess();
                    break;
            }

            looking.Await(_ => looking.Failure is not null);
            looking.CloseReplaced();
        }

        File.Copy(other.JournalPath, options.JournalPath, overwrite: true);
        using var next = await Application.StartAsync(options with { Seed = 9 });
        Assert.Empty((await next.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
        Assert.InRange((await next.WorkAsync(30)).Committed, 1, 30);
        _ = await next.CheckpointAsync("TRUNCATE");
        Assert.Empty((await next.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
    }

    /// <summary>Two logs of one file: who copies the old one into it, while another process uses it with the new one or has done so, corrupts it.</summary>
    [Theory]
    [InlineData("in use")]
    [InlineData("closed")]
    [InlineData("moved again")]
    public async Task A_file_that_was_used_under_its_new_name_is_not_written(string state)
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"] };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image, options: new HolderOptions { Checkpoints = false });
        using (var application = await Application.StartAsync(options))
        {
            _ = (await application.ExecuteAsync("PRAGMA wal_checkpoint(TRUNCATE)")).Value;
            _ = (await application.ExecuteAsync("CREATE TABLE crowd(x, y)")).Value;
            _ = (await application.ExecuteAsync("CREATE INDEX crowded ON crowd(x)")).Value;
            _ = (await application.ExecuteAsync("PRAGMA wal_checkpoint(TRUNCATE)")).Value;
            _ = (await application.ExecuteAsync("INSERT INTO crowd SELECT value, randomblob(900) FROM generate_series(1, 200)")).Error;
            _ = await application.WorkAsync(20);
            looking.Await(holder => holder.Position.MaxFrame > 20);
            looking.AwaitLooks();
            looking.Pause();
            await application.EndAsync();
        }

        var moved = folder["moved.db"];
        File.Move(Database, moved);
        using var other = await Application.StartAsync(options with { DatabasePath = moved });
        for (var row = 0; row < 300; row++)
        {
            _ = (await other.ExecuteAsync($"INSERT INTO crowd VALUES({row % 7}, randomblob(900))")).Value;
        }

        if (state != "in use")
        {
            _ = (await other.ExecuteAsync("PRAGMA wal_checkpoint(PASSIVE)")).Value;
            _ = await other.CloseAsync();
        }

        if (state == "moved again")
        {
            File.Move(moved, folder["again.db"]);
        }

        looking.GoOn();
        looking.Await(_ => looking.Failure is not null);
        var said = looking.CloseReplaced();
        if (state == "moved again")
        {
            File.Move(folder["again.db"], moved);
        }

        if (state != "in use")
        {
            _ = (await other.OpenAsync()).Value;
        }

        Assert.Contains("ok", (await other.ExecuteAsync("PRAGMA integrity_check")).Value.ToString(), StringComparison.Ordinal);
        Assert.Contains("300", (await other.ExecuteAsync("SELECT count(*) FROM crowd")).Value.ToString(), StringComparison.Ordinal);
        _ = (await other.ExecuteAsync("PRAGMA wal_checkpoint(TRUNCATE)")).Value;
        Assert.Contains("ok", (await other.ExecuteAsync("PRAGMA integrity_check")).Value.ToString(), StringComparison.Ordinal);
        Assert.Contains("300", (await other.ExecuteAsync("SELECT count(*) FROM crowd")).Value.ToString(), StringComparison.Ordinal);
        await other.EndAsync();
        Assert.False(File.Exists(Database + "-wal"));
        var aside = Assert.Single(Directory.GetFiles(folder.Path, "*-wal-of-moved-*"));
        Assert.Contains(aside, said, StringComparison.Ordinal);
    }

    /// <summary>It writes to the log that it has open, under whatever name, and finds it there when the file is back.</summary>
    [Fact]
    public async Task The_log_of_a_file_that_is_moved_away_and_back_while_it_is_in_use_stays_where_it_is()
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"] };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image, options: new HolderOptions { Checkpoints = false });
        using var application = await Application.StartAsync(options);
        _ = await application.WorkAsync(20);
        looking.Await(holder => holder.Position.MaxFrame > 20);
        looking.AwaitLooks();
        File.Move(Database, Other);
        looking.Await(_ => looking.Failure is not null);
        Assert.Contains("Its log stays where it is", looking.CloseReplaced(), StringComparison.Ordinal);
        File.Move(Other, Database);

        using var second = await Application.StartAsync(options with { Seed = 2 });
        _ = await application.WorkAsync(20);
        _ = await second.WorkAsync(20);
        await application.EndAsync();
        await second.EndAsync();
        using var reader = await Application.StartAsync(options with { OpensAtStart = false });
        var journal = TransactionRecord.Read(options.JournalPath);
        var report = await reader.CheckAsync(Database);
        Assert.Empty(report.ProblemsBeside(journal));
        Assert.Equal(journal.Count, report.Transactions);
        Assert.Empty(Directory.GetFiles(folder.Path, "*-wal-of-moved-*"));
    }

    /// <summary>Who stops an application and copies another file over its database expects no log with frames that belong in the old one.</summary>
    [Fact]
    public async Task When_the_last_application_leaves_its_log_is_emptied_at_once()
    {
        var options = new ApplicationOptions { DatabasePath = Database };
        var image = await FollowedImage.MakeAsync(options);
        var never = TimeSpan.FromDays(1);
        using var looking = new Looking(Database, image, options: new HolderOptions { Quiet = never, TruncateAfter = never });
        using (var application = await Application.StartAsync(options))
        {
            _ = await application.WorkAsync(20);
            looking.Await(holder => holder.State == HolderState.Follow && holder.Position.MaxFrame > 0);
            await application.EndAsync();
        }

        looking.Await(holder => holder.State == HolderState.Rest && new FileInfo(Database + "-wal").Length == 0);
        AssertFollowed(looking);
    }

    /// <summary>R5c: both have ended, we as the last; what is left is one whole file, and no old log that another file in its place would get.</summary>
    [Fact]
    public async Task The_last_one_to_leave_leaves_one_whole_file()
    {
        var options = new ApplicationOptions { DatabasePath = Database };
        var other = options with { DatabasePath = Other, Seed = 7 };
        var image = await FollowedImage.MakeAsync(options);
        _ = await FollowedImage.MakeAsync(other);
        using var looking = new Looking(Database, image);
        using (var application = await Application.StartAsync(options))
        {
            _ = await application.WorkAsync(50);
            await application.EndAsync();
        }

        looking.AwaitRest();
        AssertFollowed(looking);
        Assert.Equal([Database, options.JournalPath, Other, other.JournalPath], Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal));
        File.Copy(Other, Database, overwrite: true);
        using var next = await Application.StartAsync(options with { Seed = 9 });
        Assert.Empty((await next.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(other.JournalPath)));
    }

    /// <summary>R6, R7 and the write lock: what an application that never waits meets, also one that reads first and then writes.</summary>
    [Fact]
    public async Task An_application_that_never_waits_is_never_refused_a_write()
    {
        var options = new ApplicationOptions { DatabasePath = Database, BusyTimeout = TimeSpan.Zero };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image);
        using var application = await Application.StartAsync(options);
        for (var round = 0; round < 20; round++)
        {
            Assert.Equal(0, (await application.WorkAsync(5)).Refused);
            await Task.Delay(15, TestContext.Current.CancellationToken);
            foreach (var sql in (string[])["BEGIN", "SELECT max(id) FROM item", "CREATE TABLE IF NOT EXISTS read(x)", "INSERT INTO read VALUES(1)", "COMMIT"])
            {
                _ = (await application.ExecuteAsync(sql)).Value;
            }
        }

        _ = (await application.ExecuteAsync("VACUUM")).Value;
        _ = (await application.ExecuteAsync($"VACUUM INTO '{Other.Replace("'", "''", StringComparison.Ordinal)}'")).Value;
        Assert.Equal("database is locked", (await application.ExecuteAsync("PRAGMA journal_mode = DELETE")).Error);
        _ = (await application.ExecuteAsync("PRAGMA locking_mode = EXCLUSIVE")).Value;
        Assert.Equal("database is locked", (await application.ExecuteAsync("INSERT INTO read VALUES(2)")).Error);
        _ = (await application.ExecuteAsync("PRAGMA locking_mode = NORMAL")).Value;
        using var exclusive = await Application.StartAsync(options with { Pragmas = ["locking_mode = EXCLUSIVE"], OpensAtStart = false });
        _ = (await exclusive.OpenAsync()).Value;
        Assert.Equal("database is locked", (await exclusive.ExecuteAsync("SELECT count(*) FROM item")).Error);
        await exclusive.EndAsync();
        Assert.Equal(0, (await application.WorkAsync(5)).Refused);
        await application.EndAsync();
        looking.AwaitRest();
        AssertFollowed(looking);
    }

    /// <summary>R6: at the place up to which frames are not read yet, a checkpoint that does not wait ends there, and says that it is busy.</summary>
    [Fact]
    public async Task A_checkpoint_that_does_not_wait_is_told_that_the_log_is_held()
    {
        var options = new ApplicationOptions { DatabasePath = Database, BusyTimeout = TimeSpan.Zero };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image, options: new HolderOptions { Checkpoints = false });
        using var application = await Application.StartAsync(options);
        _ = await application.WorkAsync(5);
        looking.Await(holder => holder.State == HolderState.Follow);
        looking.Pause();
        _ = await application.WorkAsync(5);
        Assert.True((await application.CheckpointAsync("TRUNCATE")).IsBusy);
        looking.GoOn();
        await application.EndAsync();
        looking.AwaitLooks();
        AssertFollowed(looking);
    }

    /// <summary>R8: something in this process opens and closes the database's files, as a hash of them does.</summary>
    [Fact]
    public async Task Lost_locks_are_noticed_and_harm_nothing()
    {
        var options = new ApplicationOptions { DatabasePath = Database };
        var image = await FollowedImage.MakeAsync(options);
        using (var looking = new Looking(Database, image))
        {
            using (var application = await Application.StartAsync(options))
            {
                _ = await application.WorkAsync(20);
                looking.AwaitRest();
                File.OpenRead(Database).Dispose();
                File.OpenRead(Database + "-shm").Dispose();
                _ = await application.WorkAsync(5);
                await application.EndAsync();
            }

            using (var application = await Application.StartAsync(options with { Seed = 3 }))
            {
                _ = await application.WorkAsync(20);
                looking.Await(_ => looking.Failure is not null);
                looking.CloseReplaced();
                _ = await application.WorkAsync(20);
                await application.EndAsync();
            }
        }

        using var reader = await Application.StartAsync(options with { Seed = 4 });
        Assert.Empty((await reader.CheckAsync(Database)).ProblemsBeside(TransactionRecord.Read(options.JournalPath)));
    }

    /// <summary>R10: with pauses of a few milliseconds the log begins anew again and again, although the application never checkpoints.</summary>
    [Fact]
    public async Task A_log_does_not_grow_for_ever()
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"] };
        var image = await FollowedImage.MakeAsync(options);
        using var looking = new Looking(Database, image);
        using var application = await Application.StartAsync(options);
        _ = await application.WorkAsync(50);
        var before = looking.Ask(holder => holder.Position);
        looking.AwaitRest();
        _ = await application.WorkAsync(1);
        looking.AwaitRest();
        Assert.NotEqual(before.Salts, looking.Ask(holder => holder.Position).Salts);
        await application.EndAsync();
        AssertFollowed(looking);
    }

    /// <summary>Killed at rest or at work, while the application goes on or is there alone: the next one continues, or says that it cannot.</summary>
    [Fact]
    public async Task The_next_holder_continues_where_the_log_proves_it()
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"] };
        var image = await FollowedImage.MakeAsync(options);
        LogPlace? place;
        FileMark? file;
        using var application = await Application.StartAsync(options);
        using (var killed = new Looking(Database, image))
        {
            _ = await application.WorkAsync(20);
            killed.AwaitRest();
            _ = await application.WorkAsync(20);
            killed.Await(holder => holder.State == HolderState.Follow || holder.State == HolderState.Rest);
            killed.AwaitRest();
            killed.Await(holder => holder.RestMark is not null);
            (place, file) = killed.Where();
            image = killed.Followed.Image;
            Assert.Empty(killed.Followed.Gaps);
        }

        // The log begins anew while nobody looks, but nothing is copied from it.
        _ = await application.WorkAsync(20);
        using (var next = new Looking(Database, image, place, file))
        {
            Assert.Null(next.WhyNew);
            next.AwaitRest();
            (place, file) = next.Where();
            image = next.Followed.Image;
            next.Close();
            Assert.Empty(next.Followed.Gaps);
        }

        _ = await application.WorkAsync(10);
        _ = await application.CheckpointAsync("RESTART");
        _ = await application.WorkAsync(10);
        using (var late = new Looking(Database, image, place, file))
        {
            Assert.NotNull(late.WhyNew);
        }

        await application.EndAsync();
    }

    /// <summary>A power cut with synchronous=NORMAL takes commits back that were read already: the log is shorter, or has others in their place.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_log_that_was_cut_back_is_a_gap(bool goesOn)
    {
        var options = new ApplicationOptions { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"] };
        var image = await FollowedImage.MakeAsync(options);
        var cut = folder["cut.db"];
        LogPlace? place;
        using (var application = await Application.StartAsync(options))
        {
            using var looking = new Looking(Database, image, options: new HolderOptions { Checkpoints = false });
            _ = await application.WorkAsync(10);
            looking.Await(holder => holder.Position.MaxFrame > 0);
            _ = Tool.Require("cp").Run(Database, cut).EnsureSuccess();
            _ = Tool.Require("cp").Run(Database + "-wal", cut + "-wal").EnsureSuccess();
            var before = looking.Followed.Commits;
            Assert.InRange((await application.WorkAsync(10)).Committed, 1, 10);
            looking.Await(_ => looking.Followed.Commits > before);
            (place, _) = looking.Where();
        }

        if (goesOn)
        {
            using var after = await Application.StartAsync(options with { DatabasePath = cut, Seed = 5 });
            _ = await after.WorkAsync(40);
            after.Kill();
        }

        using var next = new Looking(cut, image, place);
        Assert.NotNull(next.WhyNew);
    }

    /// <summary>Leaves the database as the last one, and compares.</summary>
    private void AssertFollowed(Looking looking)
    {
        looking.Close();
        Assert.Empty(looking.Followed.Gaps);
        Assert.False(File.Exists(Database + "-wal"));
        Assert.Equal(ImageHash.Of(Database), Convert.ToHexStringLower(SHA256.HashData(looking.Followed.Image)));
    }
}
