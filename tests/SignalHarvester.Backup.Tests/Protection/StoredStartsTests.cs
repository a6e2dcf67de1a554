using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>Many protections of one process ask for the backups in their store: it is listed once for all, and each sidecar is read once.</summary>
public sealed class StoredStartsTests : IDisposable
{
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(10);

    private readonly StreamWorld world = new();
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 30, 3, 0, 0, TimeSpan.Zero));
    private readonly CountedCalls calls;
    private readonly StoreCatalog store;
    private readonly StoredStarts starts;

    public StoredStartsTests()
    {
        (var counted, calls) = CountedCalls.Of(ObjectStores.Open(world.Store.Location, new StoreOptions()));
        store = new StoreCatalog(counted, clock);
        starts = new StoredStarts(store, world.Context with { Clock = clock });
    }

    public void Dispose()
    {
        store.Dispose();
        world.Dispose();
    }

    [Fact]
    public async Task A_store_is_listed_once_for_all_and_only_sidecars_that_are_new_or_changed_are_read()
    {
        var first = await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        world.Commit("INSERT INTO audit(id, what) VALUES (1000, 'one')");
        _ = await world.PutAsync();
        world.BackUpByHand();
        var asked = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => IdsAsync(Age)));
        Assert.All(asked, ids => Assert.Equal([first.Id], ids));
        Assert.Equal(1, calls.Take("ListAsync"));
        Assert.Equal(2, calls.Take("ReadAsync"));

        clock.Advance(Age);
        Assert.Equal([first.Id], await IdsAsync(Age));
        Assert.Equal(0, calls.Take("ListAsync"));

        var second = world.BackUp();
        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal([first.Id, second.Id], await IdsAsync(Age));
        Assert.Equal(1, calls.Take("ListAsync"));
        Assert.Equal(1, calls.Take("ReadAsync"));
        Assert.Empty(await starts.OfAsync("fedcba9876543210", Age, StreamWorld.Stop));
        Assert.Equal(0, calls.Take("ListAsync"));
    }

    /// <summary>Each new database forces a listing that has its first backup; a thousand at once need two.</summary>
    [Fact]
    public async Task Whoever_needs_what_is_there_now_shares_a_listing_that_has_not_begun()
    {
        var first = await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        clock.AutoAdvanceAmount = TimeSpan.FromMilliseconds(1);
        using var barrier = new ManualResetEventSlim(initialState: false);
        calls.Barrier = barrier;
        var before = IdsAsync(TimeSpan.Zero);
        Assert.True(SpinWait.SpinUntil(() => calls.Take("ListAsync") == 1, TimeSpan.FromMinutes(1)));
        var asked = Enumerable.Range(0, 50).Select(_ => IdsAsync(TimeSpan.Zero)).ToList();
        barrier.Set();
        calls.Barrier = null;
        Assert.Equal([first.Id], await before);
        Assert.All(await Task.WhenAll(asked), ids => Assert.Equal([first.Id], ids));
        Assert.Equal(1, calls.Take("ListAsync"));
    }

    [Fact]
    public async Task A_backup_whose_file_is_gone_leads_nowhere_although_its_sidecar_is_known()
    {
        var first = await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        Assert.Equal([first.Id], await IdsAsync(Age));
        foreach (var file in Directory.GetFiles(world["store"], first.Id + "*").Where(file => !file.EndsWith(".json", StringComparison.Ordinal)))
        {
            File.Delete(file);
        }

        clock.Advance(TimeSpan.FromTicks(1));
        Assert.Empty(await IdsAsync(TimeSpan.Zero));
        Assert.Equal(1, calls.Take("ReadAsync"));
    }

    [Fact]
    public async Task A_store_that_is_away_is_asked_once_for_all_and_again_when_it_is_time()
    {
        var first = await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        calls.IsAway = true;
        foreach (var _ in Enumerable.Range(0, 5))
        {
            Assert.Equal(BackupErrorId.CloudUnavailable, (await Assert.ThrowsAsync<BackupException>(() => IdsAsync(Age))).ErrorId);
        }

        Assert.Equal(1, calls.Take("ListAsync"));
        calls.IsAway = false;
        clock.Advance(Age + TimeSpan.FromTicks(1));
        Assert.Equal([first.Id], await IdsAsync(Age));
    }

    private async Task<List<string>> IdsAsync(TimeSpan age) =>
        [.. (await starts.OfAsync(world.StreamId, age, StreamWorld.Stop)).OrderBy(start => start.Position.Number).Select(start => start.BackupId)];
}
