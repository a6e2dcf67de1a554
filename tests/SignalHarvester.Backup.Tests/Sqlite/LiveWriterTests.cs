using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using SQLitePCL;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>Backups under writers: each is one commit's state, and the writers do not notice.</summary>
public sealed class LiveWriterTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData(JournalMode.Wal, 1, false, 20)]
    [InlineData(JournalMode.Wal, 1, true, 20)]
    [InlineData(JournalMode.Wal, 1000, false, 5)]
    [InlineData(JournalMode.Delete, 1000, false, 5)]
    [InlineData(JournalMode.Delete, 1000, true, 5)]
    public void Each_backup_under_writers_is_the_state_after_one_of_their_commits(JournalMode mode, int walAutoCheckpoint, bool stepped, int count)
    {
        var options = new WriterOptions
        {
            DatabasePath = scene.Database,
            JournalMode = mode,
            WalAutoCheckpoint = walAutoCheckpoint,
            Threads = 3,
            Accounts = 4000,
            RowBytes = 300,
        };
        var create = new CreateBackupOptions { ForceStepped = stepped, LockTimeout = TimeSpan.FromSeconds(60) };
        List<(BackupMetadata Backup, long AtLeast, long AtMost)> made = [];
        using (var writer = WriterProcess.Start(options))
        {
            for (var i = 0; i < count; i++)
            {
                var atLeast = writer.CommittedAtLeast;
                var backup = scene.Create(create);
                made.Add((backup, atLeast, writer.CommittedAtMost));
                writer.WaitForCommits(1);
            }

            // It ends with 0 only if no commit of any of its threads failed.
            Assert.True(writer.Stop().Commits >= count);
        }

        foreach ((var backup, var atLeast, var atMost) in made)
        {
            Assert.True(backup.Verified);
            Assert.Equal(stepped ? "stepped" : "pinned", backup.Metadata["snapshot_method"]);
            var restored = scene[backup.Id + ".db"];
            scene.Restore(backup, new RestoreOptions { Destination = restored, Verify = false });
            Assert.InRange(Invariant.Check(restored, options.CommitJournalPath), atLeast, atMost);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_commit_in_wal_mode_never_waits_for_a_backup(bool stepped)
    {
        Databases.Create(scene.Database, new DatabaseShape { Rows = 5000 });
        using var user = Databases.Open(scene.Database);
        _ = raw.sqlite3_busy_timeout(user.Handle, 0);
        var answers = new List<int>();

        var backup = scene.Create(
            new CreateBackupOptions { ForceStepped = stepped },
            context: scene.Context(_ =>
            {
                lock (answers)
                {
                    answers.Add(raw.sqlite3_exec(user.Handle, "INSERT INTO audit(what) VALUES ('during the backup')"));
                }
            }));

        Assert.True(answers.Count >= 3);
        Assert.All(answers, answer => Assert.Equal(raw.SQLITE_OK, answer));
        Assert.Equal(5000, backup.RowCounts!["audit"]);
    }

    [Theory]
    [InlineData(JournalMode.Delete)]
    [InlineData(JournalMode.Wal)]
    public void A_database_locked_for_good_is_an_error_after_the_lock_timeout(JournalMode mode)
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = mode });
        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, mode == JournalMode.Wal
            ? "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO audit(what) VALUES ('x')"
            : "BEGIN EXCLUSIVE");

        var error = Scene.Fails(
            BackupErrorId.SourceLocked,
            BackupErrorCategory.ResourceBusy,
            () => scene.Create(new CreateBackupOptions { LockTimeout = Scene.ShortWait }));

        Assert.Contains(scene.Database, error.Message, StringComparison.Ordinal);
        Assert.Contains("-LockTimeout", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Waiting_for_a_lock_can_be_cancelled()
    {
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, "BEGIN EXCLUSIVE");
        using var stop = new CancellationTokenSource(Scene.ShortWait);

        Assert.ThrowsAny<OperationCanceledException>(() => scene.Create(
            new CreateBackupOptions { LockTimeout = TimeSpan.FromHours(1) }, context: scene.ContextUntil(stop.Token)));
    }
}
