using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Progress;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>
/// The contract of every object store. Each provider's class opens a store on a real server and inherits the tests: objects here,
/// uploads in parts and whole transfers in the files beside this one.
/// </summary>
public abstract partial class ObjectStoreConformance
{
    // Names on which careless code fails: URI and query syntax, percent signs that look like escapes, quotes, wildcards, non-ASCII.
    private static readonly string[] AwkwardNames =
    [
        "plain.json", "a b", " leading", "it's", "say \"so\"", "1+1=2", "100%", "%41%2F", "#1", "why?", "a&b;c,d", "[x]{y}~!$()@", "ü漢字-naïve", "a..b",
        ".hidden",
    ];

    /// <summary>A number of objects that is more than one page of the service's listing.</summary>
    protected virtual int ManyObjects => 1005;

    /// <summary>Opens the store in its own existing, empty container.</summary>
    internal abstract Task<IObjectStore> OpenAsync(StoreOptions? options = null);

    /// <summary>Opens another store object on the same server, as another process would, at a given location.</summary>
    /// <param name="location">The location of a store that <see cref="OpenAsync"/> opened, or one derived from it.</param>
    internal abstract IObjectStore Reopen(StoreLocation location);

    [Fact]
    public async Task An_object_is_put_found_and_read_with_its_checksums()
    {
        using var store = await OpenAsync();
        var content = Bytes(100_000, 1);
        var attributes = ContentHash.Attributes(content, ObjectAttributes.SidecarType, store.Checksums);

        var put = await store.PutAsync("a.json", content, attributes, replaces: null, Stop);
        var found = await store.FindAsync("a.json", Stop);

        Assert.NotNull(found);
        Assert.Equal(("a.json", 100_000L, put.Version), (found.Name, found.Length, found.Version));
        Assert.Equal(("a.json", 100_000L), (put.Name, put.Length));
        Assert.Equal(attributes.Sha256, found.Sha256);
        Assert.Contains(':', found.Checksum!);
        Assert.InRange(found.Modified, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        Assert.Equal(content, await ReadAllAsync(store, found));
        Assert.Equal(content, await ReadAllAsync(store, put));
    }

    [Fact]
    public async Task A_trial_passes_and_leaves_nothing()
    {
        using var catalog = new StoreCatalog(await OpenAsync(), TimeProvider.System);
        var (checks, fault) = BackupEngine.TryStore(catalog, create: false, new OperationContext(TimeProvider.System, _ => { }, Stop));
        Assert.Null(fault);
        Assert.Equal(
            [StoreAction.Reach, StoreAction.Write, StoreAction.Read, StoreAction.List, StoreAction.Delete], checks.Select(check => check.Action));
        Assert.All(checks, check => Assert.True(check.Passed, check.ToString()));
        Assert.Empty(await ListedAsync(catalog.Store));
    }

    [Fact]
    public async Task A_trial_finds_a_store_that_lists_nothing_and_a_stopped_one_leaves_nothing()
    {
        using var inner = await OpenAsync();
        var (checks, fault) = BackupEngine.TryStore(
            new StoreCatalog(new WatchedStore(inner) { ListsNothing = true }, TimeProvider.System), create: false,
            new OperationContext(TimeProvider.System, _ => { }, Stop));
        Assert.Equal(BackupErrorId.CloudObjectNotFound, fault?.ErrorId);
        Assert.Equal([StoreAction.List], checks.Where(check => !check.Passed).Select(check => check.Action));

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var stopped = new WatchedStore(inner) { BeforeRead = _ => stopping.CancelAsync() };
        Assert.ThrowsAny<OperationCanceledException>(() => BackupEngine.TryStore(
            new StoreCatalog(stopped, TimeProvider.System), create: false, new OperationContext(TimeProvider.System, _ => { }, stopping.Token)));
        Assert.Empty(await ListedAsync(inner));
    }

    private static async Task<List<string>> ListedAsync(IObjectStore store)
    {
        var names = new List<string>();
        await foreach (var listed in store.ListAsync(string.Empty, Stop))
        {
            names.Add(listed.Name);
        }

        return names;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task The_smallest_objects_are_objects_too(int length)
    {
        using var store = await OpenAsync();
        var content = Bytes(length, 2);

        await PutAsync(store, "tiny", content);
        var found = await store.FindAsync("tiny", Stop);

        Assert.NotNull(found);
        Assert.Equal(length, found.Length);
        Assert.Equal(ContentHash.Attributes(content, string.Empty, ContentChecksums.None).Sha256, found.Sha256);
        Assert.Equal(content, await ReadAllAsync(store, found));
        Assert.Equal(["tiny"], await NamesAsync(store));
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        using var store = await OpenAsync();

        Assert.Null(await store.FindAsync("nothing", Stop));
        Assert.Empty(await NamesAsync(store));
        Assert.True(await store.DeleteAsync("nothing", Stop));
        await RefusesAsync(BackupErrorId.CloudObjectChanged, () => store.ReadAsync(
            new ObjectInfo("nothing", 3, "\"0123\"", DateTimeOffset.UnixEpoch), 0, new byte[3], Stop), BackupErrorId.CloudObjectNotFound);
    }

    [Fact]
    public async Task Another_object_is_never_overwritten()
    {
        using var store = await OpenAsync();
        var first = await PutAsync(store, "a", Bytes(10, 1));

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => PutAsync(store, "a", Bytes(10, 2)));

        Assert.Equal(Bytes(10, 1), await ReadAllAsync(store, first));
    }

    [Fact]
    public async Task Only_the_version_that_was_seen_is_replaced()
    {
        using var store = await OpenAsync();
        var first = await PutAsync(store, "a", Bytes(10, 1));
        var second = await PutAsync(store, "a", Bytes(10, 2), replaces: first);

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => PutAsync(store, "a", Bytes(10, 3), replaces: first));

        Assert.NotEqual(first.Version, second.Version);
        var found = await store.FindAsync("a", Stop);
        Assert.Equal(second.Version, found!.Version);
        Assert.Equal(Bytes(10, 2), await ReadAllAsync(store, found));
    }

    [Fact]
    public async Task A_version_that_was_deleted_is_not_replaced()
    {
        using var store = await OpenAsync();
        var first = await PutAsync(store, "a", Bytes(10, 1));
        await store.DeleteAsync("a", Stop);

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => PutAsync(store, "a", Bytes(10, 2), replaces: first), BackupErrorId.CloudObjectNotFound);

        Assert.Null(await store.FindAsync("a", Stop));
    }

    [Fact]
    public async Task Of_those_who_put_the_same_name_at_once_one_wins()
    {
        using var store = await OpenAsync();
        var writers = Enumerable.Range(0, 8).Select(seed => Record.ExceptionAsync(() => PutAsync(store, "contested", Bytes(1000, seed))).AsTask()).ToList();

        var outcomes = await Task.WhenAll(writers);

        var winner = Assert.Single(Enumerable.Range(0, 8), seed => outcomes[seed] is null);
        Assert.All(outcomes.OfType<Exception>(), loser => Assert.Equal(BackupErrorId.CloudObjectExists, Assert.IsType<BackupException>(loser).ErrorId));
        Assert.Equal(Bytes(1000, winner), await ReadAllAsync(store, (await store.FindAsync("contested", Stop))!));
    }

    [Fact]
    public async Task Content_that_is_not_what_its_checksum_says_is_refused_and_leaves_nothing()
    {
        using var store = await OpenAsync();
        Assert.SkipWhen(
            store.Checksums == ContentChecksums.None && store.Location.Provider != CloudProvider.Directory,
            "this store compares checksums that it computes itself");
        var attributes = ContentHash.Attributes(Bytes(1000, 1), ObjectAttributes.SidecarType, store.Checksums);

        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => store.PutAsync("a", Bytes(1000, 2), attributes, replaces: null, Stop));

        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Empty(await NamesAsync(store));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 100)]
    [InlineData(50_000, 1)]
    [InlineData(99_999, 1)]
    [InlineData(99_900, 100)]
    [InlineData(1, 99_998)]
    [InlineData(0, 100_000)]
    public async Task A_range_is_read(int offset, int length)
    {
        using var store = await OpenAsync();
        var content = Bytes(100_000, 3);
        var version = await PutAsync(store, "a", content);
        var read = new byte[length];

        await store.ReadAsync(version, offset, read, Stop);

        Assert.Equal(content[offset..(offset + length)], read);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(700)]
    public async Task A_version_that_was_replaced_cannot_be_read_any_more(int offset)
    {
        using var store = await OpenAsync();
        var old = await PutAsync(store, "a", Bytes(1000, 1));
        await PutAsync(store, "a", Bytes(1000, 2), replaces: old);

        await RefusesAsync(BackupErrorId.CloudObjectChanged, () => store.ReadAsync(old, offset, new byte[300], Stop));
    }

    [Fact]
    public async Task A_version_that_was_deleted_cannot_be_read_any_more()
    {
        using var store = await OpenAsync();
        var old = await PutAsync(store, "a", Bytes(1000, 1));
        await store.DeleteAsync("a", Stop);

        await RefusesAsync(BackupErrorId.CloudObjectChanged, () => store.ReadAsync(old, 0, new byte[300], Stop));
    }

    [Fact]
    public async Task A_version_that_was_replaced_by_a_shorter_one_cannot_be_read_beyond_its_end()
    {
        using var store = await OpenAsync();
        var old = await PutAsync(store, "a", Bytes(1000, 1));
        await PutAsync(store, "a", Bytes(900, 2), replaces: old);

        await RefusesAsync(BackupErrorId.CloudObjectChanged, () => store.ReadAsync(old, 950, new byte[50], Stop));
    }

    [Fact]
    public async Task All_pages_of_a_listing_come_in_the_order_of_names()
    {
        using var store = await OpenAsync();
        var names = Enumerable.Range(0, ManyObjects).Select(number => $"{(number % 2 == 0 ? "even" : "odd")}-{number:00000}").ToList();
        await Parallel.ForEachAsync(names, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Stop }, async (name, _) =>
            await PutAsync(store, name, [(byte)name[^1]]));

        Assert.Equal(names.Order(StringComparer.Ordinal), await NamesAsync(store));
        Assert.Equal(names.Where(name => name[0] == 'o').Order(StringComparer.Ordinal), await NamesAsync(store, "odd-"));
        Assert.Equal(["odd-00001"], await NamesAsync(store, "odd-00001"));
        Assert.Empty(await NamesAsync(store, "ODD"));
    }

    [Fact]
    public async Task What_a_listing_tells_is_enough_to_read()
    {
        using var store = await OpenAsync();
        await PutAsync(store, "a", Bytes(1000, 1));

        var listed = Assert.Single(await ListAsync(store));
        Assert.Equal(1000, listed.Length);
        Assert.Equal(Bytes(1000, 1), await ReadAllAsync(store, listed));

        await PutAsync(store, "a", Bytes(1000, 2), replaces: listed);
        await RefusesAsync(BackupErrorId.CloudObjectChanged, () => store.ReadAsync(listed, 0, new byte[10], Stop));
    }

    [Fact]
    public async Task Awkward_names_are_names_like_any_other()
    {
        using var store = await OpenAsync();
        var names = AwkwardNames.Where(name => store.Location.Provider != CloudProvider.Directory || name.IndexOfAny(Path.GetInvalidFileNameChars()) < 0)
            .ToList();
        foreach (var name in names)
        {
            await PutAsync(store, name, System.Text.Encoding.UTF8.GetBytes(name));
        }

        Assert.Equal(names.Order(StringComparer.Ordinal), await NamesAsync(store));
        Assert.Equal(names.Count, names.Select(store.UrlOf).Distinct().Count());
        foreach (var name in names)
        {
            var found = await store.FindAsync(name, Stop);
            Assert.Equal(name, found?.Name);
            Assert.Equal(name, System.Text.Encoding.UTF8.GetString(await ReadAllAsync(store, found!)));
            Assert.Contains(name, await NamesAsync(store, name));
            await store.DeleteAsync(name, Stop);
            Assert.Null(await store.FindAsync(name, Stop));
        }

        Assert.Empty(await NamesAsync(store));
    }

    [Fact]
    public async Task What_lies_outside_the_prefix_is_neither_seen_nor_touched()
    {
        using var outer = await OpenAsync();
        using var inner = Reopen(outer.Location with { Prefix = outer.Location.Prefix + "in ner+ü/" });
        await PutAsync(outer, "a", Bytes(10, 1));
        await PutAsync(outer, "in ner+ü-neighbour", Bytes(10, 1));

        await inner.RequireContainerAsync(create: true, Stop);
        Assert.Empty(await NamesAsync(inner));
        Assert.Null(await inner.FindAsync("a", Stop));
        var made = await PutAsync(inner, "a", Bytes(20, 2));
        Assert.Equal("a", made.Name);
        Assert.Equal(["a"], await NamesAsync(inner));
        Assert.NotEqual(outer.UrlOf("a"), inner.UrlOf("a"));
        await inner.DeleteAsync("a", Stop);

        Assert.Empty(await NamesAsync(inner));
        Assert.Equal(Bytes(10, 1), await ReadAllAsync(outer, (await outer.FindAsync("a", Stop))!));
    }

    [Fact]
    public async Task What_is_deleted_is_gone_and_its_name_free()
    {
        using var store = await OpenAsync();
        await PutAsync(store, "a", Bytes(10, 1));
        await PutAsync(store, "ab", Bytes(10, 2));

        Assert.True(await store.DeleteAsync("a", Stop));

        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Equal(["ab"], await NamesAsync(store));
        Assert.Equal(Bytes(10, 3), await ReadAllAsync(store, await PutAsync(store, "a", Bytes(10, 3))));
    }

    [Fact]
    public async Task A_container_that_is_there_is_enough_whether_asked_to_make_it_or_not()
    {
        using var store = await OpenAsync();

        await store.RequireContainerAsync(create: false, Stop);
        await store.RequireContainerAsync(create: true, Stop);
    }

    [Fact]
    public async Task A_missing_container_is_named_by_every_operation_and_made_only_when_asked()
    {
        using var open = await OpenAsync();
        using var store = Reopen(open.Location with { Container = open.Location.Container + "x" });
        var version = new ObjectInfo("a", 10, "\"0123\"", DateTimeOffset.UnixEpoch);
        var content = Bytes((int)PartSize(store), 1);
        var attributes = ContentHash.Attributes(content, ObjectAttributes.BackupType, store.Checksums);
        Func<Task>[] operations =
        [
            () => store.RequireContainerAsync(create: false, Stop),
            () => ListAsync(store, string.Empty),
            () => store.FindAsync("a", Stop),
            () => store.ReadAsync(version, 0, new byte[10], Stop),
            () => PutAsync(store, "a", Bytes(10, 1)),
            () => PutAsync(store, "a", Bytes(10, 1), replaces: version),
            () => store.DeleteAsync("a", Stop),
            async () =>
            {
                // If beginning needs no request, the first part does.
                var id = await store.BeginUploadAsync("a", content.Length + 1, attributes, Stop);
                await store.PutPartAsync("a", id, 1, 0, content.Length + 1, content, Stop);
            },
        ];

        foreach (var operation in operations)
        {
            await RefusesAsync(BackupErrorId.CloudContainerNotFound, operation);
        }

        await store.RequireContainerAsync(create: true, Stop);
        Assert.Empty(await NamesAsync(store));
        await PutAsync(store, "a", Bytes(10, 1));
    }

    [Fact]
    public async Task What_is_stopped_says_so_and_does_nothing()
    {
        using var store = await OpenAsync();
        var version = await PutAsync(store, "a", Bytes(10, 1));
        var content = Bytes(10, 2);
        var attributes = ContentHash.Attributes(content, ObjectAttributes.BackupType, store.Checksums);
        var stopped = new CancellationToken(canceled: true);
        Func<Task>[] operations =
        [
            () => store.RequireContainerAsync(create: true, stopped),
            async () => await store.ListAsync(string.Empty, stopped).GetAsyncEnumerator(stopped).MoveNextAsync(),
            () => store.FindAsync("a", stopped),
            () => store.ReadAsync(version, 0, new byte[10], stopped),
            () => store.PutAsync("b", content, attributes, replaces: null, stopped),
            () => store.DeleteAsync("a", stopped),
            () => store.BeginUploadAsync("b", PartSize(store) + 1, attributes, stopped),
        ];

        foreach (var operation in operations)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(operation);
        }

        Assert.Equal(["a"], await NamesAsync(store));
    }
}
