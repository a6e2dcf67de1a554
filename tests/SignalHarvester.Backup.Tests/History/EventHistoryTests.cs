using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.History;

/// <summary>The history file: events read back as recorded, counters never go back, and no damage to the file does any harm.</summary>
public sealed class EventHistoryTests : IDisposable
{
    private readonly Scene scene = new();

    public EventHistoryTests()
    {
        Directory.CreateDirectory(scene.Directory.Path);
    }

    public void Dispose() => scene.Dispose();

    private string Path => scene.Stored(".shbackup/history.db");

    private EventHistory History => new(scene.Directory);

    private static BackupEvent Sample => new()
    {
        Timestamp = new DateTimeOffset(2026, 11, 22, 4, 0, 0, 123, 456, TimeSpan.FromHours(2)),
        Operation = BackupOperation.Create,
        Status = BackupEventStatus.Failed,
        Duration = TimeSpan.FromMicroseconds(1234567),
        Database = "/srv/'; DROP TABLE event; --/漢 ü.db",
        BackupId = "backup_20261122_020000_123456",
        Type = BackupType.Incremental,
        Compression = CompressionType.Zstd,
        Provider = CloudProvider.Azure,
        RetentionPolicy = RetentionPolicy.Weekly,
        Bytes = 5_000_000_000,
        Verified = false,
        Destination = "azure://account/container/",
        ErrorId = BackupErrorId.BackupCorrupt,
        ErrorMessage = "It was \"broken\".\nQuite.",
        Schedule = "nightly",
    };

    [Fact]
    public void An_event_comes_back_as_it_was_with_who_where_and_in_which_process()
    {
        History.Record([Sample], scene.Context());

        var read = Assert.Single(History.Read(new EventQuery(), scene.Context()));

        Assert.Equal(
            Sample with
            {
                EventId = 1,
                User = Environment.UserName,
                Host = Environment.MachineName,
                ProcessId = Environment.ProcessId,
                BackupDirectory = scene.Directory.Path,
            },
            read);
        Assert.Equal(TimeSpan.Zero, read.Timestamp.Offset);
        Assert.Empty(scene.Warnings);
    }

    [Fact]
    public void An_event_of_which_nothing_is_known_comes_back_as_such()
    {
        History.Record([new BackupEvent { Operation = BackupOperation.Retention }], scene.Context());

        var read = Assert.Single(History.Read(new EventQuery(), scene.Context()));

        Assert.Equal((null, null, null, null, null, null), (read.Database, read.BackupId, read.Type, read.Bytes, read.Verified, read.ErrorId));
    }

    [Fact]
    public void Queries_combine_and_give_the_newest_first()
    {
        var moment = Sample.Timestamp;
        foreach (var operation in Enum.GetValues<BackupOperation>())
        {
            History.Record(
                [new BackupEvent { Operation = operation, Timestamp = moment += TimeSpan.FromHours(1), Schedule = "s" + (int)operation % 2 }], scene.Context());
        }

        History.Record([Sample with { Timestamp = moment }], scene.Context());

        Assert.Equal(
            [BackupOperation.Create, BackupOperation.StreamDrill, BackupOperation.StreamStop],
            Read(new EventQuery { After = moment - TimeSpan.FromHours(1) }));
        Assert.Equal(
            [BackupOperation.Verify, BackupOperation.Create],
            Read(new EventQuery { Before = Sample.Timestamp + TimeSpan.FromHours(3) }));
        Assert.Equal([BackupOperation.Create], Read(new EventQuery { Status = BackupEventStatus.Failed }));
        Assert.Equal(
            [BackupOperation.Merge, BackupOperation.Create],
            Read(new EventQuery
            {
                Operations = [BackupOperation.Create, BackupOperation.Merge, BackupOperation.Verify],
                Status = BackupEventStatus.Success,
                Schedule = "s0",
            }));

        IEnumerable<BackupOperation> Read(EventQuery query) => History.Read(query, scene.Context()).Select(told => told.Operation);
    }

    [Fact]
    public void Old_events_become_sums_and_no_counter_changes_by_that()
    {
        var history = new EventHistory(scene.Directory, kept: 10, slack: 5);
        var whole = new EventHistory(new BackupDirectory(scene.Files.Folder("whole"), scene.Clock));
        var random = new Random(1);
        long last = 0;
        for (var i = 0; i < 200; i++)
        {
            var told = Sample with
            {
                Timestamp = Sample.Timestamp + TimeSpan.FromMinutes(i),
                Operation = (BackupOperation)random.Next(10),
                Status = (BackupEventStatus)random.Next(2),
                Duration = TimeSpan.FromMicroseconds(random.NextInt64(4_000_000_000)),
                Bytes = random.Next(5) == 0 ? null : random.NextInt64(20L << 30),
                Type = random.Next(4) == 0 ? null : (BackupType)random.Next(3),
                Verified = random.Next(3) == 0 ? null : random.Next(2) == 0,
                BackupId = random.Next(2) == 0 ? null : Sample.BackupId,
                Database = "/srv/" + random.Next(3),
            };
            history.Record([told], scene.Context());
            whole.Record([told], scene.Context());
            var kept = history.Read(new EventQuery(), scene.Context()).Count;
            Assert.InRange(kept, 0, 15);
            var now = history.ReadTotals(scene.Context()).Events.Sum(total => total.Events);
            Assert.Equal(last + 1, now);
            last = now;
        }

        var expected = whole.ReadTotals(scene.Context());
        var found = history.ReadTotals(scene.Context());
        Assert.Equal(expected.Events, found.Events);
        Assert.Equal(expected.LatestSuccess, found.LatestSuccess);
        Assert.Equal(200, whole.Read(new EventQuery(), scene.Context()).Count);
        Assert.Empty(scene.Warnings);
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("empty")]
    [InlineData("other database")]
    [InlineData("torn page")]
    [InlineData("lost table")]
    public void A_damaged_history_is_set_aside_with_a_warning_and_begun_anew(string damage)
    {
        History.Record([.. Enumerable.Repeat(Sample, 500)], scene.Context());
        switch (damage)
        {
            case "garbage":
                File.WriteAllText(Path, new string('x', 9000));
                break;
            case "empty":
                File.WriteAllText(Path, "");
                break;
            case "other database":
                File.Delete(Path);
                Databases.Create(Path);
                break;
            case "torn page":
                // The root page of the table of events, and a few more.
                using (var file = File.Open(Path, FileMode.Open))
                {
                    file.Position = 4096;
                    file.Write(new byte[8192]);
                }

                break;
            case "lost table":
                using (var connection = Databases.Open(Path))
                {
                    Databases.Execute(connection, "DROP TABLE event");
                }

                break;
        }

        var damaged = File.ReadAllBytes(Path);
        History.Record([Sample], scene.Context());

        Assert.Single(History.Read(new EventQuery(), scene.Context()));
        var warning = Assert.Single(scene.Warnings);
        Assert.Contains("is damaged", warning, StringComparison.Ordinal);
        Assert.Equal(damaged, File.ReadAllBytes(scene.Stored(".shbackup/history.damaged.db")));

        // Once, and not repeatedly.
        History.Record([Sample], scene.Context());
        Assert.Equal(2, History.Read(new EventQuery(), scene.Context()).Count);
        Assert.Single(scene.Warnings);
    }

    [Fact]
    public void A_damaged_history_is_set_aside_by_whoever_reads_it_too()
    {
        History.Record([Sample], scene.Context());
        File.WriteAllText(Path, "no database");

        Assert.Empty(History.ReadTotals(scene.Context()).Events);

        Assert.Single(scene.Warnings);
        Assert.False(File.Exists(Path));
    }

    [Fact]
    public void A_link_in_the_place_of_the_history_is_not_followed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links takes a privilege on Windows");
        Databases.Create(scene.Database);
        var mine = File.ReadAllBytes(scene.Database);
        Directory.CreateDirectory(scene.Stored(".shbackup"));
        File.CreateSymbolicLink(Path, scene.Database);

        History.Record([Sample], scene.Context());

        Assert.Single(scene.Warnings);
        Assert.Equal(mine, File.ReadAllBytes(scene.Database));
        Assert.Single(History.Read(new EventQuery(), scene.Context()));
    }

    [Theory]
    [InlineData("timestamp = 'yesterday'")]
    [InlineData("operation = 'teleport'")]
    [InlineData("process_id = 99999999999999")]
    [InlineData("duration_us = 9e30")]
    public void A_row_that_makes_no_sense_is_an_error_that_names_the_history(string change)
    {
        History.Record([Sample], scene.Context());
        using (var connection = Databases.Open(Path))
        {
            Databases.Execute(connection, "UPDATE event SET " + change);
        }

        Assert.Contains(
            Path, Scene.Fails(BackupErrorId.HistoryUnreadable, BackupErrorCategory.ReadError, () => History.Read(new EventQuery(), scene.Context())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_databases_of_all_events_are_named_once_each()
    {
        History.Record([Sample, Sample, Sample with { Database = "/b.db" }, Sample with { Database = null }], scene.Context());
        Assert.Equal(["/b.db", Sample.Database!], History.ReadDatabases(scene.Context()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_history_of_a_later_version_is_left_alone_and_said()
    {
        History.Record([Sample], scene.Context());
        using (var connection = Databases.Open(Path))
        {
            Databases.Execute(connection, "PRAGMA user_version = 99");
        }

        History.Record([Sample], scene.Context());

        Assert.Contains("later version", Assert.Single(scene.Warnings), StringComparison.Ordinal);
        Scene.Fails(BackupErrorId.HistoryUnreadable, BackupErrorCategory.InvalidOperation, () => History.Read(new EventQuery(), scene.Context()));
    }

    [Fact]
    public void The_log_that_a_deleted_history_left_is_not_taken_for_that_of_the_new_one()
    {
        using (var holder = Databases.Open(Seeded()))
        {
            // It is not the last to close, so the log stays.
            Databases.Execute(holder, "BEGIN; SELECT * FROM event");
            History.Record([.. Enumerable.Repeat(Sample, 50)], scene.Context());
            File.Delete(Path);
            Assert.True(new FileInfo(Path + "-wal").Length > 0);
        }

        History.Record([Sample], scene.Context());

        Assert.Single(History.Read(new EventQuery(), scene.Context()));
        Assert.Empty(scene.Warnings);

        string Seeded()
        {
            History.Record([Sample], scene.Context());
            return Path;
        }
    }

    [Fact]
    public void Deleting_the_history_between_two_events_loses_the_first_alone()
    {
        History.Record([Sample], scene.Context());
        File.Delete(Path);
        History.Record([Sample with { Database = "/srv/second.db" }], scene.Context());

        Assert.Equal("/srv/second.db", Assert.Single(History.Read(new EventQuery(), scene.Context())).Database);
        Assert.Empty(scene.Warnings);
    }

    [Fact]
    public void The_file_is_for_its_owner_alone_and_sqlite3_reads_it()
    {
        History.Record([Sample], scene.Context());

        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
        }

        Assert.Equal(
            "create|failed|1234567|incremental\n",
            Tool.Require("sqlite3").Run(Path, "SELECT operation, status, duration_us, backup_type FROM event").EnsureSuccess().Output);
        Assert.Equal("wal\n", Tool.Require("sqlite3").Run(Path, "PRAGMA journal_mode").EnsureSuccess().Output);
    }

    [Fact]
    public void Threads_that_record_at_once_lose_nothing()
    {
        Parallel.For(0, 64, new ParallelOptions { MaxDegreeOfParallelism = 16 }, _ => History.Record([Sample, Sample], scene.Context()));

        Assert.Equal(Enumerable.Range(1, 128).Reverse().Select(id => (long)id), History.Read(new EventQuery(), scene.Context()).Select(told => told.EventId));
        Assert.Empty(scene.Warnings);
    }

    [Fact]
    public void Where_nobody_listens_any_more_a_failure_to_record_is_still_none()
    {
        // A file in place of the folder, so that nothing can be recorded; and the context throws, as that of a stopped pipeline does.
        File.WriteAllText(scene.Stored(".shbackup"), "in the way");
        var stopped = new OperationContext(scene.Clock, _ => throw new OperationCanceledException(), new CancellationToken(canceled: true));

        History.Record([Sample], stopped);

        Assert.True(File.Exists(scene.Stored(".shbackup")));
    }
}
