using System.Buffers.Binary;
using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Rows;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Stream;

/// <summary>Each transaction of a stream comes back, to the byte; where it cannot, the nearest ones are named.</summary>
public sealed class StreamRestoreTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_transaction_is_restored_by_its_number_and_by_its_time(bool isEncrypted)
    {
        using var world = new StreamWorld(isEncrypted: isEncrypted);
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        world.Commit("INSERT INTO audit(what) VALUES ('one')");
        await world.PutAsync();
        world.Commit("BEGIN; CREATE TABLE more(x); INSERT INTO more SELECT zeroblob(30000); COMMIT");
        world.Commit("UPDATE customer SET name = name || '!'");
        await world.PutAsync();
        var hour = world.BackUp();
        world.Commit("DROP TABLE more");
        world.Commit("PRAGMA incremental_vacuum");
        await world.PutAsync();
        world.Commit("BEGIN; CREATE TABLE again(x); INSERT INTO again SELECT randomblob(30000); COMMIT");
        await world.PutAsync();

        foreach (var (transaction, truth) in world.Truth)
        {
            var plan = world.PlanOf(transaction);
            Assert.Equal(truth, world.Restored(plan));
            Assert.Equal(transaction >= 3, plan.Start.Id == hour.Id);
            Assert.Equal(transaction is 0 or 3, plan.SegmentCount == 0);
            var between = world.TimeOf(transaction).AddMilliseconds(transaction == 0 ? 0 : 999);
            Assert.Equal(transaction, StreamPlanner.AtMoment(world.Store, world.Backups, between, world.Context)!.Transaction);
        }

        Assert.Null(StreamPlanner.AtMoment(world.Store, world.Backups, world.TimeOf(0).AddMilliseconds(-1), world.Context));
        Assert.Equal(6, world.Transaction);
        Assert.Contains("ends with transaction 6", Fails(BackupErrorId.TransactionNotFound, () => world.PlanOf(7)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_missing_or_damaged_segment_is_an_error_with_the_nearest_transactions(bool isMissing)
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        var hour = world.BackUp();
        world.Commit("INSERT INTO audit(what) VALUES ('after the hour')");
        await world.PutAsync();
        if (isMissing)
        {
            await world.Stream.DeleteAsync(new SegmentName(1, 4), StreamWorld.Stop);
        }
        else
        {
            Damage(world, number: 4);
        }

        var plan = isMissing ? null : world.PlanOf(4);
        var error = Fails(BackupErrorId.StreamHole, () => world.Restored(plan ?? world.PlanOf(4)));
        Assert.Contains("nearest transaction before it is 2 (2026-11-22 02:00:02.000 UTC)", error.Message, StringComparison.Ordinal);
        Assert.Contains($"nearest one after it is 5 (2026-11-22 02:00:05.000 UTC), in the backup '{hour.Id}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(isMissing ? "segment 4 of timeline 1 is missing" : "is damaged or gone", error.Message, StringComparison.Ordinal);
        Assert.Equal(4L, error.Target);
        if (isMissing)
        {
            // The missing one may hold a transaction that is nearer to the moment than what is before it.
            Fails(BackupErrorId.StreamHole, () => AtMoment(world, world.TimeOf(2).AddMilliseconds(500)));
        }

        Assert.Equal(world.Truth[2], world.Restored(world.PlanOf(2)));
        Assert.Equal(world.Truth[6], world.Restored(world.PlanOf(6)));
        Assert.Equal(2, AtMoment(world, world.TimeOf(2))!.Transaction);
    }

    [Fact]
    public async Task A_listed_transaction_has_its_pages_and_its_share_of_the_segment()
    {
        using var world = new StreamWorld();
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        world.Commit("INSERT INTO audit(what) VALUES ('small')");
        world.Commit("CREATE TABLE large AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 50) SELECT randomblob(900) AS b FROM n");
        var segment = await world.PutAsync();
        var commits = segment.Header.Commits;
        var listed = ListTransactions.Run(world.Store, world.Database, null, null, fault => throw fault, world.Context).ToDictionary(one => one.Transaction);

        Assert.Equal(commits.Select(commit => (long?)commit.Pages), [listed[1].Pages, listed[2].Pages]);
        Assert.InRange(listed[2].Pages!.Value, 50, 100);
        Assert.InRange(listed[1].Pages!.Value, 1, 10);
        Assert.InRange(listed[1].Size!.Value + listed[2].Size!.Value, segment.Bytes.Length - 2, segment.Bytes.Length);
        Assert.True(listed[2].Size > 5 * listed[1].Size);
    }

    /// <summary>An ordinary backup from long before is not what was asked for, and nobody would notice.</summary>
    [Theory]
    [InlineData(1, 2)]
    [InlineData(1, 5)]
    public async Task A_moment_whose_transactions_no_backup_leads_to_is_an_error(long from, long to)
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        for (var number = from; number <= to; number++)
        {
            await world.Stream.DeleteAsync(new SegmentName(1, number), StreamWorld.Stop);
        }

        var error = Fails(BackupErrorId.StreamHole, () => AtMoment(world, world.TimeOf(5).AddMilliseconds(500)));
        Assert.Contains("segments before it are missing, so no backup leads to it", error.Message, StringComparison.Ordinal);
        Fails(BackupErrorId.StreamHole, () => StreamPlanner.Newest(world.Store, world.Backups, world.Context));

        // Of what is gone without a trace nobody knows more than that something was there.
        for (var number = 1; number <= world.Number; number++)
        {
            await world.Stream.DeleteAsync(new SegmentName(1, number), StreamWorld.Stop);
        }

        var context = world.Context with { Clock = new FakeTimeProvider(world.TimeOf(5)) };
        Assert.Null(StreamPlanner.AtMoment(world.Store, world.Backups, DateTimeOffset.UtcNow.AddMinutes(1), context));
        Assert.Contains(world.Messages, message => message.Contains("although each transaction since should be there", StringComparison.Ordinal));

        // Before them, the backup is what there was.
        Assert.Null(AtMoment(world, world.TimeOf(0)));
        Fails(BackupErrorId.TransactionNotFound, () => world.PlanOf(5));
    }

    [Fact]
    public async Task What_a_gap_has_swallowed_is_an_error_and_what_follows_it_is_restored()
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        world.Miss("INSERT INTO audit(what) VALUES ('missed')");
        world.Miss("INSERT INTO audit(what) VALUES ('missed too')");
        var mended = await world.BaseAsync(BaseReason.Gap);
        world.Commit("INSERT INTO audit(what) VALUES ('seen again')");
        await world.PutAsync();

        var error = Fails(BackupErrorId.StreamHole, () => world.PlanOf(6));
        Assert.Contains($"6 to 7 are in the backup '{mended.Id}' alone", error.Message, StringComparison.Ordinal);
        Assert.Contains("before it is 5", error.Message, StringComparison.Ordinal);
        Assert.Contains("after it is 7", error.Message, StringComparison.Ordinal);
        foreach (var transaction in (long[])[5, 7, 8])
        {
            Assert.Equal(world.Truth[transaction], world.Restored(world.PlanOf(transaction)));
        }

        // Nobody knows which of them were committed before that moment.
        Fails(BackupErrorId.StreamHole, () => AtMoment(world, world.TimeOf(6)));
        Assert.Equal(7, AtMoment(world, world.TimeOf(7))!.Transaction);

        // Without the backup in the gap, nothing leads across it.
        RemoveFromStore(world, mended.Id);
        Fails(BackupErrorId.StreamHole, () => world.Restored(world.PlanOf(8)));
        Assert.Equal(world.Truth[5], world.Restored(world.PlanOf(5)));
    }

    [Fact]
    public async Task A_second_timeline_continues_the_first_one()
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        await world.SealAsync();
        var start = await world.BaseAsync(BaseReason.Takeover);
        world.Commit("INSERT INTO audit(what) VALUES ('by another writer')");
        await world.PutAsync();

        Assert.Equal((2, 2), (world.Timeline, world.Number));
        Assert.Equal(start.Id, world.PlanOf(6).Start.Id);
        foreach (var transaction in (long[])[4, 5, 6])
        {
            Assert.Equal(world.Truth[transaction], world.Restored(world.PlanOf(transaction)));
        }

        var timelines = ListTransactions.Run(world.Store, world.Database, null, null, fault => throw fault, world.Context)
            .ToDictionary(one => one.Transaction, one => one.Timeline);
        Assert.Equal((1, 1, 2), (timelines[4], timelines[5], timelines[6]));

        // Without it nothing proves that nothing was written in between.
        RemoveFromStore(world, start.Id);
        Fails(BackupErrorId.StreamHole, () => world.Restored(world.PlanOf(6)));
        Assert.Equal(world.Truth[5], world.Restored(world.PlanOf(5)));
    }

    /// <summary>A store that is slow: an ordinary backup is ahead of several segments that still wait.</summary>
    [Fact]
    public async Task Transactions_between_the_place_of_a_backup_and_its_state_are_restored()
    {
        using var world = new StreamWorld();
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        for (var commit = 1; commit <= 6; commit++)
        {
            world.Commit($"INSERT INTO audit(what) VALUES ('commit {commit}')");
        }

        var ahead = world.BackUp();
        for (var segment = 1; segment <= 6; segment++)
        {
            await world.PutAsync(most: 1);
        }

        world.Commit("INSERT INTO audit(what) VALUES ('after it')");
        await world.PutAsync();
        foreach (var (transaction, truth) in world.Truth)
        {
            Assert.Equal(truth, world.Restored(world.PlanOf(transaction)));
            Assert.Equal(transaction >= 6, world.PlanOf(transaction).Start.Id == ahead.Id);
            Assert.Equal(transaction, AtMoment(world, world.TimeOf(transaction))!.Transaction);
        }
    }

    /// <summary>As after a start of the protection, or a suspended machine: transactions came to light long after they may have been committed.</summary>
    [Fact]
    public async Task A_moment_at_which_nobody_looked_warns_of_the_transactions_that_may_be_from_before_it()
    {
        using var world = new StreamWorld();
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        world.Commit("INSERT INTO audit(what) VALUES ('1')");
        await world.PutAsync();
        var down = world.TimeOf(1).AddMilliseconds(1);
        var up = down.AddHours(3);
        (world.Standing, world.Earliest) = (up, down);
        world.Commit("INSERT INTO audit(what) VALUES ('2')");
        await world.PutAsync();
        world.Commit("INSERT INTO audit(what) VALUES ('3')");
        (world.Standing, world.Earliest) = (up.AddSeconds(1), up);
        world.Commit("INSERT INTO audit(what) VALUES ('4')");
        await world.PutAsync();

        Assert.Equal((1, true), Restored(down.AddMinutes(1)));
        var warning = Assert.Single(world.Messages);
        Assert.Contains(StreamHole.Moment(down), warning, StringComparison.Ordinal);
        Assert.Contains(StreamHole.Moment(up), warning, StringComparison.Ordinal);
        Assert.Contains("Transactions 2 to 3", warning, StringComparison.Ordinal);
        Assert.Contains("-Transaction 3.", warning, StringComparison.Ordinal);
        Assert.Equal((1, true), Restored(up.AddMilliseconds(-1)));
        Assert.Equal((1, false), Restored(down));
        Assert.Equal((3, false), Restored(up));
        Assert.Equal((3, false), Restored(up.AddMilliseconds(1)));
        Assert.Equal((4, false), Restored(up.AddHours(1)));

        var listed = ListTransactions.Run(world.Store, world.Database, null, null, _ => { }, world.Context).ToList();
        Assert.Equal([up, down, down], listed.Take(3).Select(transaction => transaction.Earliest));

        // A clock that was ahead, and came back before the next transaction, which nobody saw for a while.
        var ahead = up.AddDays(1);
        (world.Standing, world.Earliest) = (ahead, ahead);
        world.Commit("INSERT INTO audit(what) VALUES ('5')");
        await world.PutAsync();
        world.Earliest = up.AddSeconds(2);
        world.Commit("INSERT INTO audit(what) VALUES ('6')");
        await world.PutAsync();
        Assert.Equal((4, true), Restored(up.AddMinutes(1)));
        Assert.Contains(world.Messages, message => message.Contains("Transaction 6, which was committed within that time", StringComparison.Ordinal));

        (long? Transaction, bool Warned) Restored(DateTimeOffset moment)
        {
            world.Messages.Clear();
            return (AtMoment(world, moment)?.Transaction, world.Messages.Count > 0);
        }
    }

    /// <summary>A backup that the user made while the protection was down is nearer to the moment than every transaction that was seen until then.</summary>
    [Fact]
    public async Task A_moment_at_which_nobody_looked_warns_although_a_backup_is_nearer()
    {
        using var world = new StreamWorld();
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        world.Commit("INSERT INTO audit(what) VALUES ('1')");
        await world.PutAsync();
        world.BackUpByHand();
        (world.Standing, world.Earliest) = (DateTimeOffset.UtcNow.AddSeconds(30), DateTimeOffset.UtcNow.AddMinutes(-1));
        world.Commit("INSERT INTO audit(what) VALUES ('2')");
        await world.PutAsync();

        world.Messages.Clear();
        Assert.Null(AtMoment(world, DateTimeOffset.UtcNow.AddSeconds(1)));
        Assert.Contains(world.Messages, message => message.Contains("Transaction 2, which was committed within that time", StringComparison.Ordinal));
    }

    /// <summary>As after a change of the store, or a crash: backups whose place in the stream is that of other transactions.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_backup_whose_numbers_fit_but_whose_state_does_not_is_no_beginning(bool isOfItsEnd)
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        var truth = world.Truth[world.Transaction];
        var digest = world.Digest;
        world.Digest = StreamDigest.New();
        var foreign = world.BackUp();
        world.Digest = digest;
        if (!isOfItsEnd)
        {
            world.Commit("INSERT INTO audit(what) VALUES ('after it')");
            await world.PutAsync();
        }

        var plan = world.PlanOf(5);
        Assert.NotEqual(foreign.Id, plan.Start.Id);
        Assert.Equal(truth, world.Restored(plan));
        Assert.NotEqual(foreign.Id, AtMoment(world, world.TimeOf(5))?.Start.Id);
        Assert.NotEqual(foreign.Id, world.PlanOf(world.Transaction).Start.Id);
        Assert.Equal(world.Truth[world.Transaction], world.Restored(world.PlanOf(world.Transaction)));
    }

    /// <summary>A copy of a bucket that went wrong, or somebody who cannot read the stream but may write to it.</summary>
    [Fact]
    public async Task A_segment_of_another_stream_in_the_place_of_one_is_a_hole()
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        using var other = new StreamWorld();
        await FiveSegmentsAsync(other);
        var name = new SegmentName(1, 4).ToString();
        File.Copy(Path.Combine(FolderOf(other), name), Path.Combine(FolderOf(world), name), overwrite: true);

        Assert.Equal(world.Truth[2], world.Restored(world.PlanOf(2)));
        var error = Fails(BackupErrorId.StreamHole, () => world.Restored(world.PlanOf(4)));
        Assert.Contains("continues from another transaction 2 than the one before it ends with", error.Message, StringComparison.Ordinal);
        Fails(BackupErrorId.StreamHole, () => world.Restored(world.PlanOf(5)));

        static string FolderOf(StreamWorld world) => Path.Combine(world["store"], Path.GetFileName(world.Stream.Location.Prefix.TrimEnd('/')));
    }

    [Fact]
    public async Task What_retention_takes_in_between_is_planned_again()
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        var early = world.PlanOf(5);
        var hour = world.BackUp();
        foreach (var number in (long[])[2, 3, 4, 5])
        {
            await world.Stream.DeleteAsync(new SegmentName(1, number), StreamWorld.Stop);
        }

        var (file, home) = (world["planned again.db"], new BackupDirectory(world["elsewhere"], TimeProvider.System));
        var result = RestoreBackup.Run(
            new BackupSource(early.Start, BackupCatalog.Of(world.Store, home)), new RestoreOptions { Destination = file, Stream = early }, world.Context);

        Assert.Equal((hour.Id, 5), (result.Id, result.RestoredTransaction));
        Assert.Equal(world.Truth[5], ImageHash.Of(file));
        Assert.Contains(world.Messages, message => message.StartsWith("Planning the restore again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_cut_off_does_not_come_back_with_pages_that_nobody_has_written()
    {
        using var world = new StreamWorld();
        var start = await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        var image = TrueImage.Of(world.Database);
        var count = (uint)start.PageCount!.Value;
        FollowedPage[] cut = [FirstPage(count - 2)], grown = [FirstPage(count)];
        var afterCut = world.Digest.After(count - 2, cut);
        FollowedCommit[] commits =
        [
            new(1, world.TimeOf(0), world.TimeOf(0), count - 2, cut, afterCut),
            new(2, world.TimeOf(0), world.TimeOf(0), count, grown, afterCut.After(count, grown)),
        ];
        await world.Stream.PutAsync(
            Segment.Write(SegmentHeader.OfCommits(1, 2, 1024, world.Digest, commits), commits, encryption: null), StreamWorld.Stop);
        var restored = world["cut.db"];

        RestoreBackup.Run(
            new BackupSource(start, BackupCatalog.Of(world.Store, world.Home)),
            new RestoreOptions { Destination = restored, Stream = world.PlanOf(2), Verify = false },
            world.Context);

        image.AsSpan((int)(count - 2) * 1024).Clear();
        Assert.Equal(image[1024..], File.ReadAllBytes(restored)[1024..]);

        FollowedPage FirstPage(uint pages)
        {
            var page = image[..1024];
            BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(28), pages);
            return new FollowedPage(1, page);
        }
    }

    [Fact]
    public async Task Rows_come_back_from_a_transaction()
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        world.Commit("DELETE FROM audit");
        await world.PutAsync();
        var plan = world.PlanOf(5);
        var into = world["rows.db"];
        Databases.Create(into, new DatabaseShape { Rows = 1 });

        var rows = RestoreRows.Run(
            new BackupSource(plan.Start, BackupCatalog.Of(world.Store, world.Home)),
            new RestoreRowsOptions { Into = into, Tables = ["audit"], Where = "what LIKE 'segment%'", Stream = plan, AllowOtherDatabase = true },
            world.Context);

        Assert.Equal(5, Assert.Single(rows).Inserted);
    }

    [Fact]
    public async Task A_transaction_is_restored_whole_if_only_differing_pages_are_wanted_because_nobody_has_tested_it()
    {
        using var world = new StreamWorld();
        await FiveSegmentsAsync(world);
        var (file, home) = (world["delta.db"], new BackupDirectory(world["elsewhere"], TimeProvider.System));
        foreach (var (transaction, isDelta) in ((long, bool)[])[(2, false), (4, true), (1, true)])
        {
            world.Messages.Clear();
            var plan = world.PlanOf(transaction);
            var result = RestoreBackup.Run(
                new BackupSource(plan.Start, BackupCatalog.Of(world.Store, home)), new RestoreOptions { Destination = file, Stream = plan, Delta = isDelta },
                world.Context);
            Assert.Equal(transaction, result.RestoredTransaction);
            using (var database = Databases.Open(file))
            {
                Assert.Equal($"{transaction}", Databases.Scalar(database, "SELECT count(*) FROM audit WHERE id > 1000"));
            }

            Assert.Equal(isDelta ? 1 : 0, world.Messages.Count(message => message.StartsWith(
                "The whole database is written instead of only the differing pages, because a transaction of a stream is a backup that nobody has tested",
                StringComparison.Ordinal)));
        }
    }

    private static StreamPlan? AtMoment(StreamWorld world, DateTimeOffset moment) =>
        StreamPlanner.AtMoment(world.Store, world.Backups, moment, world.Context);

    private static async Task FiveSegmentsAsync(StreamWorld world)
    {
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        for (var transaction = 1; transaction <= 5; transaction++)
        {
            world.Commit($"INSERT INTO audit(id, what) VALUES ({1000 + transaction}, 'segment {transaction}')");
            await world.PutAsync();
        }
    }

    private static void Damage(StreamWorld world, long number)
    {
        var file = Path.Combine(
            world.Store.Location.Container, world.Stream.Location.Prefix, new SegmentName(1, number).ToString());
        var bytes = File.ReadAllBytes(file);
        bytes[^20] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private static void RemoveFromStore(StreamWorld world, string id)
    {
        foreach (var file in Directory.EnumerateFiles(world.Store.Location.Container, id + "*"))
        {
            File.Delete(file);
        }
    }

    private static BackupException Fails(string errorId, Action action)
    {
        var error = Assert.Throws<BackupException>(action);
        Assert.True(errorId == error.ErrorId, $"{error.ErrorId} instead of {errorId}: {error.Message}");
        return error;
    }
}
