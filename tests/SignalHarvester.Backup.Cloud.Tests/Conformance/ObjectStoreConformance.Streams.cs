using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>Streams of transactions: whose number a segment has is decided by the store.</summary>
public abstract partial class ObjectStoreConformance
{
    [Fact]
    public async Task A_segment_is_put_once_and_its_number_is_then_taken()
    {
        using var backups = await OpenAsync();
        using var stream = new StreamStore(Reopen(StreamStore.LocationOf(backups.Location, "/srv/app.db")));
        var (ours, theirs) = (NewSegment(1, seed: 1), NewSegment(1, seed: 1));

        Assert.Equal(PutOutcome.Stored, await stream.PutAsync(ours, Stop));
        Assert.Equal(PutOutcome.Stored, await stream.PutAsync(ours, Stop));
        Assert.Equal(PutOutcome.Taken, await stream.PutAsync(theirs, Stop));

        var found = await stream.FindAsync(ours.Name, Stop);
        Assert.Equal(ours.Sha256, found?.Info.Sha256);
        Assert.Equal(ours.Header.LastTransaction, (await stream.ReadHeaderAsync(found!, IdentityRing.Empty, Stop)).LastTransaction);
        Same(ours.Bytes.ToArray(), await ReadAllAsync(Reopen(stream.Location), found!.Info));
        Assert.Null(await stream.FindAsync(ours.Name with { Number = 2 }, Stop));
        Assert.Empty(await NamesAsync(backups, "backup_"));
    }

    /// <summary>In parts, the condition that makes the number a fence would come at the end, after everything was sent.</summary>
    [Fact]
    public async Task A_segment_goes_in_one_request_however_large_it_is()
    {
        using var backups = await OpenAsync();
        using var inner = Reopen(StreamStore.LocationOf(backups.Location, "/srv/app.db"));
        var watched = new WatchedStore(inner) { PartBytes = 1024 };
        using var stream = new StreamStore(watched);
        var segment = NewSegment(1, seed: 1);
        Assert.InRange(segment.Bytes.Length, 2 * 1024, int.MaxValue);

        Assert.Equal(PutOutcome.Stored, await stream.PutAsync(segment, Stop));

        Assert.Equal((1, null), (watched.Puts, watched.UploadId));
        Assert.Empty(watched.Arrived);
    }

    [Fact]
    public async Task Segments_are_listed_in_order_and_deleted()
    {
        using var backups = await OpenAsync();
        using var stream = new StreamStore(Reopen(StreamStore.LocationOf(backups.Location, "/srv/app.db")));
        Assert.Null(await stream.LastAsync(1, Stop));
        foreach (var number in (long[])[10, 2, 9, 1])
        {
            await stream.PutAsync(NewSegment(number, seed: 1), Stop);
        }

        Assert.Equal([1, 2, 9, 10], await stream.ListAsync(timeline: null, 1, Stop).Select(segment => segment.Name.Number).ToListAsync(Stop));
        Assert.Equal([9, 10], await stream.ListAsync(1, 3, Stop).Select(segment => segment.Name.Number).ToListAsync(Stop));
        Assert.Empty(await stream.ListAsync(2, 1, Stop).ToListAsync(Stop));
        Assert.Equal(10, (await stream.LastAsync(1, Stop))?.Name.Number);
        await stream.DeleteAsync(new SegmentName(1, 10), Stop);
        Assert.Equal(9, (await stream.LastAsync(1, Stop))?.Name.Number);
    }

    [Fact]
    public async Task A_store_proves_that_it_keeps_conditions()
    {
        using var backups = await OpenAsync();
        using var inner = Reopen(StreamStore.LocationOf(backups.Location, "/srv/app.db"));
        using var stream = new StreamStore(new WatchedStore(inner));
        await stream.ProveConditionalAsync(Stop);

        using var careless = new StreamStore(new WatchedStore(inner) { IgnoresConditions = true });
        await RefusesAsync(BackupErrorId.StoreUnconditional, () => careless.ProveConditionalAsync(Stop));
        Assert.Empty(await NamesAsync(inner));
    }

    private static Segment NewSegment(long number, int seed)
    {
        FollowedPage[] pages = [new(2, Bytes(4096, seed))];
        List<FollowedCommit> commits = [new(number, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 3, pages, default(StreamDigest).After(3, pages))];
        return Segment.Write(SegmentHeader.OfCommits(1, number, 4096, default, commits), commits, encryption: null);
    }
}
