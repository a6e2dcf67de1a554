using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

/// <summary>A commit of somebody else around a restore is in the safety backup or in the restored database, and never lost.</summary>
public sealed class RestoreRaceTests : IDisposable
{
    private readonly Scene scene = new();

    private string Target => scene["target.db"];

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData("WAL")]
    [InlineData("DELETE")]
    public void While_the_safety_backup_is_made_nobody_can_commit(string mode)
    {
        var backup = MakeBackup();
        MakeTarget(mode);
        using var user = Databases.Open(Target);
        Databases.Execute(user, "PRAGMA busy_timeout = 0");
        user.DefaultTimeout = 1;
        var refused = 0;

        scene.RestoreTo(Target, backup, scene.Context(told =>
        {
            if (told is OperationMessage message && message.Text.Contains("is kept as", StringComparison.Ordinal))
            {
                var error = Assert.Throws<SqliteException>(() => Databases.Execute(user, "INSERT INTO log VALUES (999)"));
                Assert.Equal(SQLitePCL.raw.SQLITE_BUSY, error.SqliteErrorCode);
                refused++;
            }
        }));

        Assert.Equal(1, refused);
    }

    [Theory]
    [InlineData("WAL", 1)]
    [InlineData("DELETE", 1)]
    [InlineData("WAL", 2)]
    [InlineData("DELETE", 2)]
    public void What_is_committed_between_the_safety_backup_and_the_overwriting_is_in_a_new_safety_backup(string mode, int times)
    {
        var backup = MakeBackup();
        MakeTarget(mode);

        scene.RestoreTo(Target, backup, scene.Context(CommitBeforeOverwriting(times)));

        var safety = Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety);
        Assert.Equal(times, Rows(scene.Unpack(safety)).Count);
        Assert.Empty(Rows(Target));
    }

    [Theory]
    [InlineData("WAL")]
    [InlineData("DELETE")]
    public void Where_somebody_always_commits_in_between_nothing_is_overwritten(string mode)
    {
        var backup = MakeBackup();
        MakeTarget(mode);

        Scene.Fails(
            BackupErrorId.DestinationLocked,
            BackupErrorCategory.ResourceBusy,
            () => scene.RestoreTo(Target, backup, scene.Context(CommitBeforeOverwriting(int.MaxValue))));

        Assert.NotEmpty(Rows(Target));
    }

    [Theory]
    [InlineData("WAL")]
    [InlineData("DELETE")]
    public void Every_commit_of_a_busy_writer_is_in_the_safety_backup_or_in_the_restored_database(string mode)
    {
        var backup = MakeBackup();
        MakeTarget(mode);
        using var stop = new CancellationTokenSource();
        var committed = new List<long>();
        var writer = new Thread(() => Write(committed, stop.Token));
        writer.Start();
        SpinWait.SpinUntil(() => Count(committed) > 50);

        scene.Restore(backup, new RestoreOptions { Destination = Target, SafetyDirectory = scene.Directory, LockTimeout = TimeSpan.FromSeconds(20) });

        var after = Count(committed);
        SpinWait.SpinUntil(() => Count(committed) > after + 5, TimeSpan.FromSeconds(5));
        stop.Cancel();
        writer.Join();

        var safety = Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety);
        var kept = Rows(scene.Unpack(safety));
        kept.UnionWith(Rows(Target));
        Assert.Empty(committed.Except(kept));
    }

    /// <summary>Commits a row after the safety backup, before the destination is locked, this many times.</summary>
    private Action<OperationEvent> CommitBeforeOverwriting(int times)
    {
        var done = 0;
        return told =>
        {
            if (done < times && told is OperationProgress { DoneBytes: 0 } progress && progress.Activity.StartsWith("Restoring into", StringComparison.Ordinal))
            {
                using var user = Databases.Open(Target);
                Databases.Execute(user, $"INSERT INTO log VALUES ({++done})");
            }
        };
    }

    private static int Count(List<long> committed)
    {
        lock (committed)
        {
            return committed.Count;
        }
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

    private void Write(List<long> committed, CancellationToken stop)
    {
        using var connection = Databases.Open(Target);
        connection.DefaultTimeout = 20;
        for (long n = 1; !stop.IsCancellationRequested; n++)
        {
            Databases.Execute(connection, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"INSERT INTO log VALUES ({n})"));
            lock (committed)
            {
                committed.Add(n);
            }
        }
    }

    private BackupMetadata MakeBackup()
    {
        Databases.Create(scene.Database);
        using (var connection = Databases.Open(scene.Database))
        {
            Databases.Execute(connection, "CREATE TABLE log(n INTEGER)");
        }

        return scene.Create();
    }

    private void MakeTarget(string mode)
    {
        using var connection = Databases.Open(Databases.CreateEmpty(Target));
        Databases.Execute(connection, $"PRAGMA journal_mode = {mode}; CREATE TABLE log(n INTEGER)");
    }
}
