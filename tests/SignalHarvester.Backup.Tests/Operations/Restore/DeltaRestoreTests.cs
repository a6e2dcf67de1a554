using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using SQLitePCL;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

/// <summary>What applications see of a restore that writes only the differing pages, whenever they open the database.</summary>
public sealed class DeltaRestoreTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData("WAL")]
    [InlineData("DELETE")]
    public void An_application_that_comes_during_the_restore_loses_nothing(string mode)
    {
        var backup = MakeBackup("DELETE");
        for (var round = 0; round < 8; round++)
        {
            var committed = new ConcurrentBag<long>();
            using var stop = new CancellationTokenSource();
            using var held = new ManualResetEventSlim();
            Thread[] applications = [.. Enumerable.Range(1, 3).Select(number => new Thread(() => Start(round * 10 + number)))];

            // An application that sets its journal mode when it starts, as most do, and is refused until the restore releases the database.
            void Start(long row)
            {
                using var connection = Databases.Open(scene.Database);
                var insert = string.Create(CultureInfo.InvariantCulture, $"INSERT INTO log VALUES ({row})");
                var pragma = $"PRAGMA journal_mode = {mode}";
                held.Wait();

                // Not through a command, which would sleep between its attempts.
                while (raw.sqlite3_exec(connection.Handle, pragma) != raw.SQLITE_OK && !stop.IsCancellationRequested)
                {
                }

                while (raw.sqlite3_exec(connection.Handle, insert) != raw.SQLITE_OK)
                {
                    if (stop.IsCancellationRequested)
                    {
                        return;
                    }
                }

                committed.Add(row);
                stop.Token.WaitHandle.WaitOne();
            }

            foreach (var application in applications)
            {
                application.Start();
            }

            BackupException? refused = null;
            try
            {
                Delta(backup, TimeSpan.FromSeconds(1), told =>
                {
                    if (told is OperationMessage message && message.Text.Contains("is kept as", StringComparison.Ordinal))
                    {
                        held.Set();
                    }
                });
            }
            catch (BackupException exception)
            {
                refused = exception;
            }

            stop.Cancel();
            foreach (var application in applications)
            {
                application.Join();
            }

            Assert.Contains(refused?.ErrorId, (string?[])[null, BackupErrorId.DestinationLocked]);
            var kept = Rows(scene.Database);
            foreach (var safety in scene.Directory.List().Backups.Where(kept => kept.IsSafety))
            {
                kept.UnionWith(Rows(scene.Unpack(safety)));
                File.Delete(scene[safety.Id + ".unpacked.db"]);
            }

            Assert.Empty(committed.Except(kept));
            using var check = Databases.Open(scene.Database);
            Assert.Equal("ok", Databases.Scalar(check, "PRAGMA integrity_check"));
            Databases.Execute(check, "PRAGMA journal_mode = DELETE");
        }
    }

    [Fact]
    public void A_connection_that_slept_through_the_restore_wakes_up_to_the_restored_database()
    {
        var backup = MakeBackup("DELETE");
        using var sleeper = Databases.Open(scene.Database);
        using var worker = Databases.Open(scene.Database);
        for (var i = 0; i < 5; i++)
        {
            Databases.Execute(worker, "UPDATE customer SET name = name || '!' WHERE id < 40");
        }

        Assert.EndsWith("!!!!!", Databases.Scalar(sleeper, "SELECT name FROM customer WHERE id = 5"), StringComparison.Ordinal);

        Delta(backup, Scene.ShortWait);
        for (var i = 0; i < 5; i++)
        {
            // As many commits as were undone: the change counter has the value that the sleeper saw last.
            Databases.Execute(worker, "UPDATE customer SET name = name || '?' WHERE id < 40");
        }

        Assert.EndsWith("?????", Databases.Scalar(sleeper, "SELECT name FROM customer WHERE id = 5"), StringComparison.Ordinal);
        Databases.Execute(sleeper, "UPDATE customer SET name = name || '.' WHERE id < 40");
        Assert.Equal("ok", Databases.Scalar(worker, "PRAGMA integrity_check"));
        Assert.EndsWith("?????.", Databases.Scalar(worker, "SELECT name FROM customer WHERE id = 5"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WAL")]
    [InlineData("DELETE")]
    public void A_refused_restore_leaves_the_journal_mode(string mode)
    {
        var backup = MakeBackup(mode);
        Change();
        File.WriteAllBytes(backup.BackupPath, File.ReadAllBytes(backup.BackupPath).Select(value => (byte)~value).ToArray());

        Assert.Throws<BackupException>(() => Delta(backup, Scene.ShortWait));

        using var connection = Databases.Open(scene.Database);
        Assert.Equal(mode, Databases.Scalar(connection, "PRAGMA journal_mode"), ignoreCase: true);
    }

    [Fact]
    public void A_restore_to_another_page_size_that_is_stopped_leaves_the_journal_mode()
    {
        var backup = MakeBackup("WAL");
        SetPageSize();
        using var stop = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => scene.Restore(
            backup,
            new RestoreOptions { Destination = scene.Database, SafetyDirectory = scene.Directory, LockTimeout = Scene.ShortWait },
            scene.ContextUntil(stop.Token, told =>
            {
                if (told is OperationMessage message && message.Text.Contains("is kept as", StringComparison.Ordinal))
                {
                    stop.Cancel();
                }
            })));

        using var connection = Databases.Open(scene.Database);
        Assert.Equal("wal", Databases.Scalar(connection, "PRAGMA journal_mode"));
        Assert.Equal("8192", Databases.Scalar(connection, "PRAGMA page_size"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_safety_backup_of_a_database_that_had_to_leave_WAL_mode_brings_it_back_in_it(bool delta)
    {
        var backup = MakeBackup("WAL");
        Change();
        if (!delta)
        {
            SetPageSize();
        }

        var before = TrueImage.Of(scene.Database);
        Assert.Equal([2, 2], before[18..20]);

        scene.Restore(
            backup, new RestoreOptions { Destination = scene.Database, SafetyDirectory = scene.Directory, Delta = delta, LockTimeout = Scene.ShortWait });

        var safety = Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety);
        var kept = scene.Restored(safety);
        Assert.Equal([2, 2], kept[18..20]);
        Assert.Equal(Scene.WithoutCounters(before), Scene.WithoutCounters(kept));
        Assert.Null(scene.Verify(safety).Fault);
    }

    [Fact]
    public void An_application_that_came_during_the_restore_and_one_that_comes_after_it_lose_nothing()
    {
        var backup = MakeBackup("DELETE");
        Change();
        SqliteConnection? first = null;
        Delta(backup, Scene.ShortWait, told =>
        {
            if (first is null && told is OperationProgress progress && progress.Activity.StartsWith("Checking the restored", StringComparison.Ordinal))
            {
                first = Databases.Open(scene.Database);
                Databases.Scalar(first, "SELECT count(*) FROM log");
            }
        });
        var committed = new HashSet<long>();
        void Commit(SqliteConnection connection, string sql, long row)
        {
            if (raw.sqlite3_exec(connection.Handle, sql) == raw.SQLITE_OK)
            {
                committed.Add(row);
            }
        }

        // One uses the log, and the other the header, which says rollback-journal mode, so their locks differ.
        using (var second = Databases.Open(scene.Database))
        {
            Databases.Execute(second, "BEGIN IMMEDIATE; INSERT INTO log VALUES (2)");
            Commit(first!, "INSERT INTO log VALUES (1)", 1);
            first!.Dispose();
            Commit(second, "COMMIT", 2);
        }

        Assert.Contains(2, committed);
        Assert.Equal(committed, Rows(scene.Database));
        Assert.Equal([""], Scene.DatabaseFiles(scene.Database).Keys);
    }

    [Fact]
    public void A_locked_database_is_refused_and_not_restored_in_another_way()
    {
        var backup = MakeBackup("DELETE");
        Change();
        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, "BEGIN EXCLUSIVE");

        Scene.Fails(BackupErrorId.DestinationLocked, BackupErrorCategory.ResourceBusy, () => Delta(backup, Scene.ShortWait));

        Assert.Empty(scene.Warnings);
    }

    private void Delta(BackupMetadata backup, TimeSpan lockTimeout, Action<OperationEvent>? onEvent = null) => scene.Restore(
        backup,
        new RestoreOptions { Destination = scene.Database, SafetyDirectory = scene.Directory, Delta = true, LockTimeout = lockTimeout },
        scene.Context(onEvent));

    private BackupMetadata MakeBackup(string mode)
    {
        Databases.Create(scene.Database);
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(connection, $"PRAGMA journal_mode = {mode}; CREATE TABLE log(n INTEGER)");
        }

        return scene.Create();
    }

    private void Change()
    {
        using var connection = Databases.Open(scene.Database);
        Databases.Execute(connection, "UPDATE customer SET name = name || '!' WHERE id < 40");
    }

    /// <summary>Gives the database a page size with which SQLite cannot overwrite it by the backup while it is in WAL mode.</summary>
    private void SetPageSize()
    {
        using var connection = Databases.Open(scene.Database);
        Databases.Execute(connection, "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM; PRAGMA journal_mode = WAL");
    }

    private static HashSet<long> Rows(string path)
    {
        using var connection = Databases.Open(path);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT n FROM log";
        using var reader = command.ExecuteReader();
        var rows = new HashSet<long>();
        while (reader.Read())
        {
            rows.Add(reader.GetInt64(0));
        }

        return rows;
    }
}
