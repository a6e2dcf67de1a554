using System.Text;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>The prefix before the names: whatever it is, every operation on an object uses one key, or nothing is sent.</summary>
public abstract partial class ObjectStoreConformance
{
    private const string Id = "backup_20261122_020000_123456";

    /// <summary>Prefixes that people give by habit, by mistake and by bad luck.</summary>
    public static TheoryData<string> Prefixes =>
    [
        "machine1", "machine1/", "/machine1", "//machine1", "/", "//", "machine1//", "a//b", "/a//b/", "a///b/",
        " ", " a", "a ", "a /b", "a+b", "%", "a%2Fb", "%41/%2e%2e", "a%00b", "a&b=c", "a#b", "a?b=c&d#e", "a;b,c:d@e", "$!'()*~`^|", "[a]{b}<c>", "\"a\"",
        "a\\b", "\\a", "a\\", "\\\\server\\share", "a\tb", "a\nb", "a\r", "a\u0001b", "a\u001fb", "a\u007fb", "a\u0085b", "a\u2028b", "a\u202eb", "a\uffffb",
        "a\0b",
        "ü", "u\u0308", "ü/u\u0308/", "漢字/😀", "a\ufeffb", "a\ufffdb", "A/a",
        ".", "..", "./a", "a/./b", "a/../b", "../a", "a/..", "%2e%2e/a", ".a", "..a", "a.", "a./b", "a../b.", "...", "a/.../b",
        "CON", new string('a', 240) + "/" + new string('b', 240), string.Concat(Enumerable.Repeat("a/", 120)),
    ];

    [Theory]
    [MemberData(nameof(Prefixes))]
    public async Task With_any_prefix_one_key_is_sent_listed_read_and_removed_or_nothing_is_sent(string prefix)
    {
        using var open = await OpenAsync();
        using var all = Reopen(open.Location with { Prefix = string.Empty });
        var location = open.Location with { Prefix = prefix };
        IObjectStore store;
        try
        {
            KeyPrefix.Require(location);
            store = Reopen(location);
        }
        catch (BackupException refusal)
        {
            // A prefix that is not refused here has to work below; the next test says which ones may be refused.
            Assert.Contains(refusal.ErrorId, (string[])[BackupErrorId.InvalidArgument, BackupErrorId.CloudRefused]);
            Assert.Empty(await KeysAsync(all));
            return;
        }

        using (store)
        {
            var name = Id + ".json";
            var content = Bytes(10, 1);
            var attributes = ContentHash.Attributes(content, ObjectAttributes.BackupType, store.Checksums);
            await PutAsync(store, name, content);
            var upload = await store.BeginUploadAsync(Id + "_full.db", content.Length, attributes, Stop);
            Assert.All(await PendingAsync(store, "backup_"), pending => Assert.Equal(Id + "_full.db", pending.Name));
            var part = await store.PutPartAsync(Id + "_full.db", upload, 1, 0, content.Length, content, Stop);
            await store.CompleteUploadAsync(Id + "_full.db", upload, content.Length, [part], attributes, Stop);

            Assert.Equal([store.Location.Prefix + name, store.Location.Prefix + Id + "_full.db"], await KeysAsync(all));
            Assert.Equal([name, Id + "_full.db"], await NamesAsync(store, "backup_"));
            Assert.All(await ListAsync(store), listed => Assert.Equal(content, ReadAllAsync(store, listed).GetAwaiter().GetResult()));
            Assert.Equal(name, (await store.FindAsync(name, Stop))?.Name);

            // Another process, which knows only what is recorded.
            using (var again = Reopen(open.Location with { Prefix = store.Location.Prefix }))
            {
                Assert.Equal(store.Location, again.Location);
                Assert.Equal([name, Id + "_full.db"], await NamesAsync(again));
                Assert.Equal(store.UrlOf(name), again.UrlOf(name));
            }

            await store.DeleteAsync(name, Stop);
            await store.DeleteAsync(Id + "_full.db", Stop);
            Assert.Empty(await KeysAsync(all));
        }
    }

    [Fact]
    public async Task Composed_and_decomposed_letters_are_two_prefixes_and_so_are_the_cases()
    {
        using var open = await OpenAsync();
        string[] prefixes = ["ü/", "u\u0308/", "Ü/", "a/", "A/"];
        Assert.SkipWhen(open.Location.Provider == CloudProvider.Directory && !OperatingSystem.IsLinux(), "the file system takes them for one");
        foreach (var prefix in prefixes)
        {
            using var store = Reopen(open.Location with { Prefix = prefix });
            await PutAsync(store, "backup_" + prefix.Length, Encoding.UTF8.GetBytes(prefix));
        }

        foreach (var prefix in prefixes)
        {
            using var store = Reopen(open.Location with { Prefix = prefix });
            Assert.Equal(prefix, Encoding.UTF8.GetString(await ReadAllAsync(store, Assert.Single(await ListAsync(store)))));
        }
    }

    [Fact]
    public async Task A_prefix_that_leaves_no_room_for_a_backups_name_is_refused_before_anything_is_sent_and_one_that_does_is_not()
    {
        using var open = await OpenAsync();
        Assert.SkipWhen(open.Location.Provider == CloudProvider.Directory, "the file system says what is too long");
        var longest = Id + "_g999999999_incremental.wal.zst.age";
        using var all = Reopen(open.Location with { Prefix = string.Empty });
        using var tooLong = new StoreCatalog(Reopen(open.Location with { Prefix = new string('a', 1024 - longest.Length) + "/" }), TimeProvider.System);
        using var fits = new StoreCatalog(Reopen(open.Location with { Prefix = new string('a', 1023 - longest.Length) + "/" }), TimeProvider.System);
        using var bytes = new StoreCatalog(Reopen(open.Location with { Prefix = new string('ü', 500) + "/" }), TimeProvider.System);

        var refusal = Assert.Throws<BackupException>(() => tooLong.RequireContainer(create: false, Stop));
        fits.RequireContainer(create: false, Stop);
        await PutAsync(fits.Store, longest, Bytes(10, 1));

        Assert.Equal(BackupErrorId.InvalidArgument, refusal.ErrorId);
        Assert.Contains("at most", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(new string('a', 1023 - longest.Length) + "/" + longest, Assert.Single(await KeysAsync(all)));

        // Existing backups are read all the same.
        Assert.Empty(tooLong.List(Stop).Backups);
        if (open.Location.Provider != CloudProvider.Azure)
        {
            Assert.Throws<BackupException>(() => bytes.RequireContainer(create: false, Stop));
        }
    }

    [Fact]
    public async Task Objects_of_another_program_between_ours_are_neither_listed_nor_touched()
    {
        using var open = await OpenAsync();
        using var all = Reopen(open.Location with { Prefix = string.Empty });
        using var store = Reopen(open.Location with { Prefix = "machine1" });
        string[] theirs =
        [
            "machine10/" + Id + ".json", "machine1-old", "machine", "MACHINE1/" + Id + ".json", "machine1 /x", "machine1/" + Id, "machine1/" + Id + ".json.bak",
            "machine1/" + Id + "_full.db.tmp",
            "machine1/backup_", "machine1/backup_x.json", "machine1/backup_20261122_020000_123457.json/inner", "machine1/BACKUP_20261122_020000_123456.JSON",
            "machine1/machine1/" + Id + ".json",
            "machine1/aaa", "machine1/zzz", "machine1/ ", "machine1/%62ackup_1.json",
            .. open.Location.Provider == CloudProvider.Directory
                ? (string[])[]
                : ["machine1", "machine1/", "machine1//" + Id + ".json", "/machine1/" + Id + ".json"],
        ];
        foreach (var key in theirs.Where(key => open.Location.Provider != CloudProvider.Azure || key[0] != '/')
            .Where(key => !(open.Location is { Provider: CloudProvider.S3, UsePathStyle: true } && key[0] == '/')))
        {
            await PutForeignAsync(all, key);
        }

        var before = await KeysAsync(all);
        var content = "not compressed, not checked here"u8.ToArray();
        await PutAsync(store, Id + "_full.db", content);
        await PutAsync(store, Id + ".json", Encoding.UTF8.GetBytes($$"""
            {"backup_id":"{{Id}}","backup_type":"full","timestamp":"2026-11-22T02:00:00.123456+00:00","db_path":"/app.db","backup_path":"/x/{{Id}}_full.db",
             "compression":"none","size_bytes":{{content.Length}},"checksum":"{{StoreTransfer.Sha256(content)}}","verified":false}
            """));
        using var remote = new StoreCatalog(store, TimeProvider.System);
        var listing = remote.List(Stop);

        Assert.Empty(listing.Faults);
        Assert.Equal(Id, Assert.Single(listing.Backups).Id);
        await store.DeleteAsync(Id + ".json", Stop);
        await store.DeleteAsync(Id + "_full.db", Stop);
        Assert.Empty(remote.List(Stop).Backups);
        Assert.Equal(before, await KeysAsync(all));
    }

    /// <summary>Returns all keys of the container, in order.</summary>
    /// <param name="all">A store without a prefix.</param>
    internal virtual async Task<IEnumerable<string>> KeysAsync(IObjectStore all) => (await NamesAsync(all)).Order(StringComparer.Ordinal);

    /// <summary>Puts an object there, as another program would.</summary>
    /// <param name="all">A store without a prefix.</param>
    /// <param name="key">The key.</param>
    internal virtual Task PutForeignAsync(IObjectStore all, string key) => PutAsync(all, key, Encoding.UTF8.GetBytes("not ours"));
}
