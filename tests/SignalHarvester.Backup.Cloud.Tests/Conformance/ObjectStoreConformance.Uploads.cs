using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>Uploads in parts, by hand.</summary>
public abstract partial class ObjectStoreConformance
{
    [Fact]
    public async Task An_upload_in_parts_makes_the_object_at_its_end()
    {
        using var store = await OpenAsync();
        var upload = Parted.Of(store, 1);
        var id = await store.BeginUploadAsync("a", upload.Length, upload.Attributes, Stop);
        var parts = new List<UploadedPart>();
        for (var number = 1; number <= upload.Count; number++)
        {
            parts.Add(await upload.PutAsync(store, "a", id, number));
            Assert.Null(await store.FindAsync("a", Stop));
            Assert.Empty(await NamesAsync(store));
        }

        var made = await store.CompleteUploadAsync("a", id, upload.Length, parts, upload.Attributes, Stop);

        Assert.Equal(Enumerable.Range(1, upload.Count), parts.Select(part => part.Number));
        Assert.Equal(upload.Length, parts.Sum(part => part.Length));
        var found = await store.FindAsync("a", Stop);
        Assert.NotNull(found);
        Assert.Equal((made.Version, upload.Length, upload.Attributes.Sha256), (found.Version, found.Length, found.Sha256));
        Assert.Contains(':', found.Checksum!);
        Assert.Equal(upload.Content, await ReadAllAsync(store, found));
        Assert.Empty(await PendingAsync(store));
    }

    [Fact]
    public async Task Parts_arrive_in_any_order_where_several_may_be_on_their_way()
    {
        using var store = await OpenAsync();
        Assert.SkipWhen(store.MostParallelParts == 1, "this service takes parts in order alone");
        var upload = Parted.Of(store, 2);
        var id = await store.BeginUploadAsync("a", upload.Length, upload.Attributes, Stop);

        var parts = await Task.WhenAll(Enumerable.Range(1, upload.Count).Reverse().Select(number => upload.PutAsync(store, "a", id, number)));
        var made = await store.CompleteUploadAsync("a", id, upload.Length, [.. parts.OrderBy(part => part.Number)], upload.Attributes, Stop);

        Assert.Equal(upload.Content, await ReadAllAsync(store, made));
    }

    [Fact]
    public async Task Another_process_finds_the_parts_and_goes_on()
    {
        using var store = await OpenAsync();
        var upload = Parted.Of(store, 3);
        var id = await store.BeginUploadAsync("a", upload.Length, upload.Attributes, Stop);
        var first = await upload.PutAsync(store, "a", id, 1);

        using var other = Reopen(store.Location);
        var found = await other.FindPartsAsync("a", id, upload.Length, Stop);

        var part = Assert.Single(found!);
        Assert.Equal((1, first.Length), (part.Number, part.Length));
        if (store.MostParallelParts > 1)
        {
            Assert.True(other.Holds(part, upload.Part(1).Span));
            Assert.False(other.Holds(part, upload.Part(2).Span));
            Assert.False(other.Holds(part, upload.Part(1).Span[1..]));
        }

        List<UploadedPart> parts = [part];
        for (var number = 2; number <= upload.Count; number++)
        {
            parts.Add(await upload.PutAsync(other, "a", id, number));
        }

        var made = await other.CompleteUploadAsync("a", id, upload.Length, parts, upload.Attributes, Stop);
        Assert.Equal(upload.Content, await ReadAllAsync(other, made));
        Assert.Equal(upload.Attributes.Sha256, (await other.FindAsync("a", Stop))!.Sha256);
    }

    [Fact]
    public async Task An_upload_without_parts_is_known()
    {
        using var store = await OpenAsync();
        var upload = Parted.Of(store, 3);
        var id = await store.BeginUploadAsync("a", upload.Length, upload.Attributes, Stop);

        Assert.Empty((await store.FindPartsAsync("a", id, upload.Length, Stop))!);
    }

    [Fact]
    public async Task A_part_that_is_sent_again_replaces_the_former()
    {
        using var store = await OpenAsync();
        Assert.SkipWhen(store.MostParallelParts == 1, "this service takes every byte once");
        var upload = Parted.Of(store, 4);
        var wrong = Parted.Of(store, 5);
        var id = await store.BeginUploadAsync("a", upload.Length, upload.Attributes, Stop);
        await wrong.PutAsync(store, "a", id, 1);
        await wrong.PutAsync(store, "a", id, 2);

        var parts = await Task.WhenAll(Enumerable.Range(1, upload.Count).Select(number => upload.PutAsync(store, "a", id, number)));
        var made = await store.CompleteUploadAsync("a", id, upload.Length, parts, upload.Attributes, Stop);

        Assert.Equal(upload.Content, await ReadAllAsync(store, made));
    }

    [Fact]
    public async Task Two_uploads_of_one_name_do_not_mix_and_the_first_to_complete_wins()
    {
        using var store = await OpenAsync();
        var first = Parted.Of(store, 6);
        var second = Parted.Of(store, 7);
        var firstId = await store.BeginUploadAsync("a", first.Length, first.Attributes, Stop);
        var secondId = await store.BeginUploadAsync("a", second.Length, second.Attributes, Stop);
        var firstParts = new List<UploadedPart>();
        var secondParts = new List<UploadedPart>();
        for (var number = 1; number <= first.Count; number++)
        {
            firstParts.Add(await first.PutAsync(store, "a", firstId, number));
            secondParts.Add(await second.PutAsync(store, "a", secondId, number));
        }

        var made = await store.CompleteUploadAsync("a", firstId, first.Length, firstParts, first.Attributes, Stop);
        await RefusesAsync(
            BackupErrorId.CloudObjectExists, () => store.CompleteUploadAsync("a", secondId, second.Length, secondParts, second.Attributes, Stop));

        Assert.Equal(first.Content, await ReadAllAsync(store, made));
    }

    [Fact]
    public async Task A_name_that_was_taken_meanwhile_is_not_overwritten_by_an_upload()
    {
        using var store = await OpenAsync();
        Assert.SkipWhen(
            store.Location.Provider == CloudProvider.Azure,
            "Azurite takes staged blocks for an object when one is put; AzureTests takes the name in another way");
        var upload = Parted.Of(store, 8);
        var (id, parts) = await upload.PutAllAsync(store, "a");
        var taken = await PutAsync(store, "a", Bytes(10, 1));

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => store.CompleteUploadAsync("a", id, upload.Length, parts, upload.Attributes, Stop));

        Assert.Equal(Bytes(10, 1), await ReadAllAsync(store, taken));
        await store.AbortUploadAsync("a", id, Stop);
        Assert.Equal(Bytes(10, 1), await ReadAllAsync(store, taken));
        Assert.Empty(await PendingAsync(store));
    }

    [Fact]
    public async Task An_upload_that_is_given_up_is_forgotten_with_its_parts()
    {
        using var store = await OpenAsync();
        Assert.SkipWhen(store.Location.Provider == CloudProvider.Azure, "Azure has no request to give blocks up: they expire after a week");
        var upload = Parted.Of(store, 9);
        var (id, parts) = await upload.PutAllAsync(store, "a");

        await store.AbortUploadAsync("a", id, Stop);
        await store.AbortUploadAsync("a", id, Stop);

        // If an upload is nothing but its parts, one without parts looks like a new one.
        Assert.True(await store.FindPartsAsync("a", id, upload.Length, Stop) is null or { Count: 0 });
        await RefusesAsync(BackupErrorId.CloudUploadLost, () => store.CompleteUploadAsync("a", id, upload.Length, parts, upload.Attributes, Stop));
        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Empty(await PendingAsync(store));
    }

    [Fact]
    public async Task A_part_of_an_upload_that_is_not_known_any_more_is_refused()
    {
        using var store = await OpenAsync();
        Assert.SkipWhen(store.Location.Provider == CloudProvider.Azure, "Azure knows blocks and no uploads: what is not there any more shows at the end");
        var upload = Parted.Of(store, 9);
        var id = await store.BeginUploadAsync("a", upload.Length, upload.Attributes, Stop);
        await store.AbortUploadAsync("a", id, Stop);

        Assert.Null(await store.FindPartsAsync("a", id, upload.Length, Stop));
        await RefusesAsync(BackupErrorId.CloudUploadLost, () => upload.PutAsync(store, "a", id, 1));
    }

    [Fact]
    public async Task Uploads_that_nobody_ended_are_listed_where_the_service_does_so()
    {
        using var store = await OpenAsync();
        var upload = Parted.Of(store, 10);
        var id = await store.BeginUploadAsync("mine", upload.Length, upload.Attributes, Stop);
        await upload.PutAsync(store, "mine", id, 1);

        using var other = Reopen(store.Location);
        var pending = await PendingAsync(other);

        Assert.SkipWhen(
            pending.Count == 0 && store.Location.Provider is CloudProvider.Gcs or CloudProvider.Azure,
            "the service does not list them, or cannot give them up; they expire after a week");
        var one = Assert.Single(pending);
        Assert.Equal(("mine", id), (one.Name, one.UploadId));
        Assert.InRange(one.Begun, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        Assert.Single(await PendingAsync(other, "mi"));
        Assert.Empty(await PendingAsync(other, "other"));
        await other.AbortUploadAsync(one.Name, one.UploadId, Stop);
        Assert.Empty(await PendingAsync(other));
    }

    [Fact]
    public async Task A_backup_that_nobody_went_on_sending_for_a_week_is_given_up_and_nothing_else()
    {
        const string ours = "backup_20261122_020000_123456_full.db.zst";
        using var store = await OpenAsync();
        foreach (var name in new[] { ours, "backup_of_somebody.zst", "other" })
        {
            await store.BeginUploadAsync(name, Parted.Of(store, 10).Length, Parted.Of(store, 10).Attributes, Stop);
        }

        Assert.SkipWhen((await PendingAsync(store)).Count == 0, "the service does not list them, or cannot give them up; they expire after a week");
        using var remote = new StoreCatalog(Reopen(store.Location), TimeProvider.System);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(6));
        var context = new OperationContext(clock, _ => { }, Stop);

        SendBackup.CleanUp(remote, context);
        Assert.Equal(3, (await PendingAsync(store)).Count);

        clock.Advance(TimeSpan.FromDays(2));
        SendBackup.CleanUp(remote, context);
        Assert.Equal(["backup_of_somebody.zst", "other"], (await PendingAsync(store)).Select(pending => pending.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Uploads_outside_the_prefix_are_not_listed()
    {
        using var outer = await OpenAsync();
        using var inner = Reopen(outer.Location with { Prefix = outer.Location.Prefix + "inner/" });
        var upload = Parted.Of(outer, 10);
        var id = await outer.BeginUploadAsync("mine", upload.Length, upload.Attributes, Stop);
        await upload.PutAsync(outer, "mine", id, 1);
        await inner.RequireContainerAsync(create: true, Stop);

        Assert.Empty(await PendingAsync(inner));
    }

    [Fact]
    public async Task An_upload_whose_whole_is_not_what_its_checksum_says_makes_nothing()
    {
        using var store = await OpenAsync();
        Assert.SkipWhen(
            store.Location.Provider == CloudProvider.Azure || (store.Checksums == ContentChecksums.None && store.Location.Provider != CloudProvider.Directory),
            "this service compares the checksum of each part, not of the whole");
        var upload = Parted.Of(store, 11);
        var other = Parted.Of(store, 12);
        var (id, parts) = await upload.PutAllAsync(store, "a");

        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => store.CompleteUploadAsync("a", id, upload.Length, parts, other.Attributes, Stop));

        Assert.Null(await store.FindAsync("a", Stop));
    }

    [Theory]
    [InlineData(1L << 20)]
    [InlineData(300L << 20)]
    [InlineData(10L << 30)]
    [InlineData(1L << 40)]
    public async Task Parts_are_few_enough_for_the_service_and_small_enough_for_the_memory(long length)
    {
        using var store = await OpenAsync();
        var most = store.Location.Provider switch
        {
            CloudProvider.S3 => 10_000,
            CloudProvider.Azure => 50_000,
            _ => long.MaxValue,
        };

        var size = store.PartSize(length);

        Assert.InRange((length + size - 1) / size, 1, most);
        if (length <= 10L << 30)
        {
            Assert.InRange(size * store.MostParallelParts, 1, 128L << 20);
        }
    }

    /// <summary>Content of three parts, the last one short.</summary>
    private protected sealed record Parted(byte[] Content, int Size, ObjectAttributes Attributes)
    {
        public int Count => (Content.Length + Size - 1) / Size;

        public long Length => Content.Length;

        public static Parted Of(IObjectStore store, int seed)
        {
            var size = (int)PartSize(store);
            var content = Bytes((2 * size) + 12_345, seed);
            Assert.Equal(size, store.PartSize(content.Length));
            return new Parted(content, size, ContentHash.Attributes(content, ObjectAttributes.BackupType, store.Checksums));
        }

        public ReadOnlyMemory<byte> Part(int number) => Content.AsMemory((number - 1) * Size, Math.Min(Size, Content.Length - ((number - 1) * Size)));

        public Task<UploadedPart> PutAsync(IObjectStore store, string name, string id, int number) =>
            store.PutPartAsync(name, id, number, (number - 1) * (long)Size, Length, Part(number), Stop);

        public async Task<(string Id, List<UploadedPart> Parts)> PutAllAsync(IObjectStore store, string name)
        {
            var id = await store.BeginUploadAsync(name, Length, Attributes, Stop);
            var parts = new List<UploadedPart>();
            for (var number = 1; number <= Count; number++)
            {
                parts.Add(await PutAsync(store, name, id, number));
            }

            return (id, parts);
        }
    }
}
