using System.Security.Cryptography;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Holder;

/// <summary>What an application does between two steps of the holder: each look is made by the test, and the moment is chosen by a clock.</summary>
public sealed class LogHolderMomentTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();
    private readonly MomentClock clock = new();

    private string Database => folder["app.db"];

    private string Other => folder["other.db"];

    private ApplicationOptions Options => new() { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"] };

    public void Dispose() => folder.Dispose();

    /// <summary>Such a commit writes the frame of the one before once more, as padding does, but the index counts it.</summary>
    [Fact]
    public async Task Commits_that_change_nothing_are_no_gap_when_they_begin_a_log_anew()
    {
        using var scene = await BeginAsync(new HolderOptions());
        var (followed, application, holder) = scene;
        _ = (await application.ExecuteAsync("CREATE TABLE few AS SELECT 10 AS x")).Value;
        Rest(holder);
        var before = followed.Commits;
        for (var commit = 0; commit < 3; commit++)
        {
            // SQLite writes no page of an update to the same value.
            foreach (var sql in (string[])["BEGIN", "UPDATE few SET x = 11", "UPDATE few SET x = 10", "COMMIT"])
            {
                _ = (await application.ExecuteAsync(sql)).Value;
            }
        }

        holder.Look();
        Assert.Equal(before + 1, followed.Commits);
        Assert.Empty(followed.Gaps);
        await application.EndAsync();
        Rest(holder);
        holder.Close();
        Assert.Equal(ImageHash.Of(Database), Convert.ToHexStringLower(SHA256.HashData(followed.Image)));
    }

    /// <summary>Something in this process closed one of the database's files, and nothing holds the log any more.</summary>
    [Fact]
    public async Task Commits_that_an_unheld_log_has_lost_are_a_gap()
    {
        using var scene = await BeginAsync(new HolderOptions { Checkpoints = false });
        var (followed, application, holder) = scene;
        _ = await application.WorkAsync(10);
        holder.Look();
        Assert.Empty(followed.Gaps);
        LoseLocks();
        _ = await application.WorkAsync(5);
        Assert.False((await application.CheckpointAsync("RESTART")).IsBusy);
        _ = await application.WorkAsync(5);
        holder.Look();
        Assert.Contains("its index counts", Assert.Single(followed.Gaps), StringComparison.Ordinal);
    }

    /// <summary>Who restores a copy by hand deletes the old log, which we still have open and would copy into the file that came.</summary>
    [Fact]
    public async Task A_checkpoint_copies_nothing_into_a_file_whose_log_was_deleted_a_moment_before()
    {
        _ = await FollowedImage.MakeAsync(Options with { DatabasePath = Other, Seed = 7 });
        using (var scene = await BeginAsync(new HolderOptions()))
        {
            var (_, application, holder) = scene;
            _ = await application.WorkAsync(20);
            holder.Look();
            Assert.Equal(HolderState.Follow, holder.State);
            clock.Advance(Long);
            clock.AtNextLook(() =>
            {
                application.Kill();
                File.Delete(Database + "-wal");
                File.Delete(Database + "-shm");
                _ = Tool.Require("cp").Run(Other, Database).EnsureSuccess();
            });
            _ = Assert.Throws<DatabaseReplacedException>(() =>
            {
                holder.Look();
                holder.Look();
            });
            holder.CloseReplaced();
        }

        Assert.Equal(ImageHash.Of(Other), ImageHash.Of(Database));
    }

    /// <summary>Where we checkpoint nothing, and the database is never at rest, only the look itself can notice it.</summary>
    [Fact]
    public async Task Another_file_in_the_place_of_a_database_at_work_is_noticed_at_the_next_look()
    {
        _ = await FollowedImage.MakeAsync(Options with { DatabasePath = Other, Seed = 7 });
        using var scene = await BeginAsync(new HolderOptions { Checkpoints = false });
        var (followed, application, holder) = scene;
        _ = await application.WorkAsync(10);
        holder.Look();
        Assert.Equal(HolderState.Follow, holder.State);
        File.Move(Other, Database, overwrite: true);
        _ = Assert.Throws<DatabaseReplacedException>(() => holder.Look());
    }

    /// <summary>A later write in the same tick of the file system's clock would not be seen.</summary>
    [Fact]
    public async Task A_file_is_no_proof_of_rest_before_the_instant_of_its_last_write_is_past()
    {
        using var scene = await BeginAsync(new HolderOptions());
        var (followed, application, holder) = scene;
        _ = await application.WorkAsync(10);
        Rest(holder);
        var written = new DateTimeOffset(FileMark.Of(Database)!.Written, TimeSpan.Zero);
        clock.Advance(written.AddMilliseconds(-1) - clock.GetUtcNow());
        Assert.Null(holder.RestMark);
        clock.Advance(Long);
        Assert.Equal(FileMark.Of(Database), holder.RestMark);
    }

    /// <summary>What a reader has of the log stays for it, and is emptied once it has ended.</summary>
    [Fact]
    public async Task A_log_that_somebody_reads_in_is_emptied_later()
    {
        using var scene = await BeginAsync(new HolderOptions());
        var (followed, application, holder) = scene;
        using var reader = await Application.StartAsync(Options with { Seed = 2 });
        _ = await application.WorkAsync(10);
        foreach (var sql in (string[])["BEGIN", "SELECT count(*) FROM item"])
        {
            _ = (await reader.ExecuteAsync(sql)).Value;
        }

        Rest(holder);
        Assert.NotEqual(0, new FileInfo(Database + "-wal").Length);
        Assert.True(holder.HasNews);
        _ = (await reader.ExecuteAsync("ROLLBACK")).Value;
        Rest(holder);
        Assert.Equal(0, new FileInfo(Database + "-wal").Length);
        Assert.False(holder.HasNews);
        await application.EndAsync();
        await reader.EndAsync();
    }

    [Fact]
    public async Task A_database_at_rest_keeps_one_connection_and_misses_nothing_that_comes_then()
    {
        using var scene = await BeginAsync(new HolderOptions());
        var (followed, application, holder) = scene;
        for (var round = 0; round < 3; round++)
        {
            _ = await application.WorkAsync(10);
            Rest(holder);
            Assert.Equal(2, LogDescriptors());
            holder.Shrink();
            Assert.Equal(1, LogDescriptors());
            Assert.False(holder.HasNews);
            Assert.False((await application.CheckpointAsync("PASSIVE")).IsBusy);
            var before = followed.Commits;
            _ = await application.WorkAsync(1);
            Assert.True(holder.HasNews);
            holder.Look();
            Assert.True(followed.Commits > before);
        }

        Assert.Empty(followed.Gaps);
        await application.EndAsync();
        Rest(holder);
        holder.Shrink();
        holder.Close();
        Assert.Equal(ImageHash.Of(Database), Convert.ToHexStringLower(SHA256.HashData(followed.Image)));
        Assert.False(File.Exists(Database + "-wal"));
    }

    /// <summary>Between the question whether the file was replaced and the opening of a second connection, it may be.</summary>
    [Fact]
    public async Task A_connection_to_another_file_is_known_by_its_index()
    {
        _ = await FollowedImage.MakeAsync(Options);
        _ = await FollowedImage.MakeAsync(Options with { DatabasePath = Other, Seed = 7 });
        using var application = await Application.StartAsync(Options);
        using var another = await Application.StartAsync(Options with { DatabasePath = Other, Seed = 7 });
        using var first = HoldingConnection.Open(Database);
        using var second = HoldingConnection.Open(Database);
        using var other = HoldingConnection.Open(Other);
        var index = new IndexView(first.Main);
        Assert.True(index.IsOf(second.Main));
        Assert.False(index.IsOf(other.Main));
        await application.EndAsync();
        await another.EndAsync();
    }

    private async Task<Scene> BeginAsync(HolderOptions options)
    {
        var followed = new FollowedImage(4096, await FollowedImage.MakeAsync(Options));
        var scene = new Scene(followed, await Application.StartAsync(Options), LogHolder.Open(Database, followed, options, clock));
        _ = scene.Holder.Begin(null, null);
        return scene;
    }

    /// <summary>Looks until everything is read and copied.</summary>
    private void Rest(LogHolder holder)
    {
        for (var look = 0; look < 10; look++)
        {
            holder.Look();
            clock.Advance(Long);
        }

        Assert.Equal(HolderState.Rest, holder.State);
    }

    /// <summary>Other tests of the process open and close files meanwhile; one that is gone leads nowhere.</summary>
    private int LogDescriptors() =>
        Directory.EnumerateFileSystemEntries("/proc/self/fd").Count(descriptor => new FileInfo(descriptor).LinkTarget == Database + "-wal");

    private void LoseLocks()
    {
        File.OpenRead(Database).Dispose();
        File.OpenRead(Database + "-shm").Dispose();
    }

    private sealed record Scene(FollowedImage Followed, Application Application, LogHolder Holder) : IDisposable
    {
        public void Dispose()
        {
            Holder.Dispose();
            Application.Dispose();
        }
    }
}
