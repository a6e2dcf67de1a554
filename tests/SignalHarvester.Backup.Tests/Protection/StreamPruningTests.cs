using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>
/// Segments that are a day old go, and what the protection shows as restorable is restored afterwards, whatever else has happened. The stream:
/// segment 1 begins at transaction 0, 2 and 3 have one transaction each, 4 has two, and 5 and 6 have one; ordinary backups are after 2 and 4.
/// </summary>
public sealed class StreamPruningTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly StreamWorld world = new();
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 22, 3, 0, 0, TimeSpan.Zero));
    private readonly List<string> warnings = [];

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task Segments_go_when_a_backup_of_their_age_is_in_the_store_and_verified_and_everything_from_it_on_is_restored()
    {
        var (_, second) = await FillAsync();
        var pruning = Pruning(world.Stream);
        Assert.Equal(6, (await SegmentsAsync()).Count);

        await RunAsync(pruning, at: world.TimeOf(2) + Day - TimeSpan.FromMilliseconds(1));
        Assert.Equal([2, 3, 4, 5, 6], await SegmentsAsync());
        AssertPromised(pruning, from: 0);

        await RunAsync(pruning, at: world.TimeOf(2) + Day);
        Assert.Equal([4, 5, 6], await SegmentsAsync());
        AssertPromised(pruning, from: 2);

        // It is three days later, and the machine was off: the last segment shows who the writer is.
        await RunAsync(pruning, at: world.TimeOf(6) + 3 * Day);
        Assert.Equal([5, 6], await SegmentsAsync());
        AssertPromised(pruning, from: 4);
        Assert.True(world.Home.Get(second.Id).Verified);
        Assert.Empty(warnings);
    }

    [Fact]
    public async Task The_last_segment_stays_however_old_it_is()
    {
        _ = await FillAsync();
        _ = world.BackUp();
        var pruning = Pruning(world.Stream);
        await RunAsync(pruning, at: world.TimeOf(6) + 30 * Day);
        Assert.Equal([6], await SegmentsAsync());
        AssertPromised(pruning, from: 6);
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("not here")]
    public async Task No_segment_goes_for_a_backup_whose_content_was_not_verified(string how)
    {
        var (first, _) = await FillAsync();
        var here = world.Home.Get(first.Id).BackupPath;
        if (how == "damaged")
        {
            var bytes = await File.ReadAllBytesAsync(here, StreamWorld.Stop);
            bytes[bytes.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(here, bytes, StreamWorld.Stop);
        }
        else
        {
            foreach (var file in Directory.GetFiles(world.Home.Path))
            {
                File.Delete(file);
            }
        }

        var pruning = Pruning(world.Stream);
        await RunAsync(pruning, at: world.TimeOf(2) + Day);
        Assert.Equal([1, 2, 3, 4, 5, 6], await SegmentsAsync());
        AssertPromised(pruning, from: 0);
        Assert.Equal(how == "damaged", warnings.Exists(warning => warning.Contains("failed its test", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Segments_that_the_rules_of_the_store_delete_are_left_to_them()
    {
        _ = await FillAsync();
        var pruning = Pruning(world.Stream, new ProtectionOptions { KeepsSegments = true });
        await RunAsync(pruning, at: world.TimeOf(6) + 3 * Day);
        Assert.Equal([1, 2, 3, 4, 5, 6], await SegmentsAsync());
        AssertPromised(pruning, from: 0);

        // They delete the oldest one.
        await world.Stream.DeleteAsync(new SegmentName(1, 1), StreamWorld.Stop);
        await world.Stream.DeleteAsync(new SegmentName(1, 2), StreamWorld.Stop);
        await RunAsync(pruning, at: world.TimeOf(6) + 3 * Day);
        AssertPromised(pruning, from: 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_store_that_fails_between_two_deletions_leaves_no_hole_in_what_is_promised_and_the_next_look_goes_on(int deleted)
    {
        _ = await FillAsync();
        using var failing = new StreamStore(FailingDeletes.After(ObjectStores.Open(world.Stream.Location, new StoreOptions()), deleted));
        var pruning = Pruning(failing);
        await RunAsync(pruning, at: world.TimeOf(4) + Day);
        Assert.Equal(6 - deleted, (await SegmentsAsync()).Count);
        AssertPromised(pruning, from: 4);
        Assert.Contains(warnings, warning => warning.Contains("were not removed", StringComparison.Ordinal));

        // Another process, which knows nothing of that, and cannot test the backups here.
        foreach (var file in Directory.GetFiles(world.Home.Path))
        {
            File.Delete(file);
        }

        var next = Pruning(world.Stream, new ProtectionOptions { KeepTransactions = 30 * Day });
        await RunAsync(next, at: world.TimeOf(4) + Day);
        AssertPromised(next, from: deleted switch { 1 => 0, 2 => 2, _ => 2 });
    }

    /// <summary>Whoever may delete in the store can make what is promised untrue; once an hour all segments are looked for.</summary>
    [Theory]
    [InlineData(3, 3, 1, 2)]
    [InlineData(5, 5, 1, null)]
    [InlineData(4, 4, 1, 4)]
    [InlineData(1, 2, 1, 2)]
    [InlineData(1, 5, 4, null)]
    public async Task Segments_that_somebody_deletes_are_missed_within_an_hour(long from, long to, long missing, int? promisedFrom)
    {
        _ = await FillAsync();
        var pruning = Pruning(world.Stream, new ProtectionOptions { KeepTransactions = 30 * Day });
        await RunAsync(pruning, at: clock.GetUtcNow());
        Assert.Equal(0, pruning.Missing);
        for (var deleted = from; deleted <= to; deleted++)
        {
            await world.Stream.DeleteAsync(new SegmentName(1, deleted), StreamWorld.Stop);
        }

        clock.Advance(TimeSpan.FromMinutes(59));
        await RunAsync(pruning, at: clock.GetUtcNow());
        Assert.Equal(0, pruning.Missing);
        clock.Advance(TimeSpan.FromMinutes(2));
        await RunAsync(pruning, at: clock.GetUtcNow());
        await RunAsync(pruning, at: clock.GetUtcNow() + TimeSpan.FromHours(2));
        Assert.Equal(missing, pruning.Missing);
        Assert.Equal(promisedFrom is { } oldest ? world.TimeOf(oldest) : null, pruning.Oldest);
        Assert.Equal(promisedFrom is null, pruning.IsRootless);
        Assert.Contains($"the last of them with number {to}", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_of_the_store_may_delete_in_any_order_what_is_older_than_the_window()
    {
        _ = await FillAsync();
        await world.Stream.DeleteAsync(new SegmentName(1, 2), StreamWorld.Stop);
        var pruning = Pruning(world.Stream, new ProtectionOptions { KeepsSegments = true });
        await RunAsync(pruning, at: world.TimeOf(4) + Day);
        Assert.Equal(0, pruning.Missing);
        Assert.Equal(world.TimeOf(2), pruning.Oldest);
        Assert.Empty(warnings);
    }

    [Fact]
    public async Task No_segment_goes_for_a_backup_that_was_removed_after_the_store_was_listed()
    {
        var (first, second) = await FillAsync();
        var starts = Starts();
        clock.SetUtcNow(world.TimeOf(6) + 3 * Day);
        Assert.Equal(3, (await starts.OfAsync(world.StreamId, TimeSpan.Zero, StreamWorld.Stop)).Count());
        foreach (var file in Directory.GetFiles(world["store"], second.Id + "*"))
        {
            File.Delete(file);
        }

        var pruning = new StreamPruning(world.Database, world.Home, world.Stream, world.Store, starts, new ProtectionOptions());
        await RunAsync(pruning, at: world.TimeOf(6) + 3 * Day);
        Assert.Equal([1, 2, 3, 4, 5, 6], await SegmentsAsync());
        Assert.NotNull(first);
    }

    private StreamPruning Pruning(StreamStore stream, ProtectionOptions? options = null) =>
        new(world.Database, world.Home, stream, world.Store, Starts(), options ?? new ProtectionOptions());

    private StoredStarts Starts() => new(world.Store, world.Context with { Clock = clock });

    private async Task RunAsync(StreamPruning pruning, DateTimeOffset at)
    {
        clock.SetUtcNow(at);
        var context = world.Context with { Clock = clock, Report = Note };
        var folder = new ProtectionFolder(world.Home, world.Database);
        folder.Lock().Dispose();
        folder.Save(
            new SavedPlace
            {
                Database = world.Database,
                Store = world.Stream.Location.ToString(),
                Stream = world.StreamId,
                Timeline = world.Timeline,
                Number = world.Number,
                Transaction = world.Transaction,
                Time = world.TimeOf(world.Transaction),
                Digest = world.Digest.Value,
            },
            []);
        var writer = new Backup.Protection.StreamWriter(world.Database, world.Stream, folder, encryption: null);
        Assert.Null(await writer.ConnectAsync(takesOver: false, context));
        await pruning.RunAsync(writer, context);

        void Note(OperationEvent told)
        {
            if (told is OperationMessage { IsWarning: true } warning)
            {
                warnings.Add(warning.Text);
            }
        }
    }

    private async Task<List<long>> SegmentsAsync()
    {
        var numbers = new List<long>();
        await foreach (var segment in world.Stream.ListAsync(world.Timeline, 1, StreamWorld.Stop))
        {
            numbers.Add(segment.Name.Number);
        }

        return numbers;
    }

    /// <summary>Restores every transaction from the oldest one that is shown on.</summary>
    private void AssertPromised(StreamPruning pruning, long from)
    {
        Assert.Equal(world.TimeOf(from), pruning.Oldest);
        for (var transaction = from; transaction <= world.Transaction; transaction++)
        {
            Assert.Equal(world.Truth[transaction], world.Restored(world.PlanOf(transaction)));
        }
    }

    private async Task<(BackupMetadata First, BackupMetadata Second)> FillAsync()
    {
        _ = await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        await SegmentAsync(1);
        await SegmentAsync(2);
        var first = world.BackUp();
        await SegmentAsync(3, 4);
        var second = world.BackUp();
        await SegmentAsync(5);
        await SegmentAsync(6);
        return (first, second);
    }

    private async Task SegmentAsync(params int[] transactions)
    {
        foreach (var transaction in transactions)
        {
            world.Commit($"INSERT INTO audit(id, what) VALUES ({1000 + transaction}, 'transaction {transaction}')");
        }

        await world.PutAsync();
    }
}
