using SignalHarvester.Backup.Cloud.Tests.Proxy;
using SignalHarvester.Backup.ObjectStorage;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>
/// The faults that every object store on a network must survive. Each provider's class names its server and opens a store through a
/// proxy, in which these tests cause faults.
/// </summary>
public abstract class FaultConformance : IAsyncDisposable
{
    // Long enough for a busy machine to move something.
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(8);

    private FaultProxy? proxy;

    /// <summary>Returns the address of the server, which it starts if necessary.</summary>
    internal abstract Task<Uri> ServerAsync();

    /// <summary>Opens the store in its own existing, empty container, with a proxy's address in place of the server's.</summary>
    internal abstract Task<IObjectStore> OpenThroughAsync(Uri address, StoreOptions options);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (proxy is not null)
        {
            await proxy.DisposeAsync();
        }
    }

    public static TheoryData<string> Transients => ["500", "503", "429", "dropped request", "dropped in the middle", "dropped answer"];

    [Theory]
    [MemberData(nameof(Transients))]
    public async Task A_file_is_sent_although_parts_fail_now_and_then(string fault)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        proxy!.Inject(Transient(fault, MiB), times: 2, head => head.BringsPart);

        var made = await here.SendAsync(store, "a", content, Stop);

        Assert.Equal(0, proxy.Heal());
        await HoldsAsync(store, made, content);
    }

    [Theory]
    [MemberData(nameof(Transients))]
    public async Task A_file_is_fetched_although_ranges_fail_now_and_then(string fault)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        using var there = new StoreTransfer();
        var content = Bytes((40 * MiB) + 1, 1);
        await here.SendAsync(store, "a", content, Stop);
        var version = (await store.FindAsync("a", Stop))!;
        proxy!.Inject(fault == "dropped in the middle" ? Fault.DropResponse(MiB) : Transient(fault, 0), times: 2, head => head.AsksForRange);

        var fetched = await there.FetchAsync(store, version, Stop);

        Assert.Equal(0, proxy.Heal());
        Same(content, fetched);
    }

    [Theory]
    [MemberData(nameof(Transients))]
    public async Task Each_small_request_is_tried_again(string fault)
    {
        using var store = await OpenAsync();
        var small = fault == "dropped in the middle" ? Fault.DropResponse(0) : Transient(fault, 0);
        Func<Task>[] operations =
        [
            () => PutAsync(store, "a", Bytes(1000, 1)),
            () => store.FindAsync("a", Stop),
            () => ListAsync(store),
            async () => await PutAsync(store, "a", Bytes(1000, 2), replaces: await store.FindAsync("a", Stop)),
            async () => await HoldsAsync(store, (await store.FindAsync("a", Stop))!, Bytes(1000, 2)),
            () => store.RequireContainerAsync(create: false, Stop),
            () => store.DeleteAsync("a", Stop),
        ];

        foreach (var operation in operations)
        {
            proxy!.Inject(small);
            await operation();
            Assert.Equal(0, proxy.Heal());
        }

        Assert.Empty(await ListAsync(store));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_object_whose_answer_got_lost_was_made_once_and_is_ours(bool large)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = large ? ManyParts(store) : Bytes(1000, 1);
        var watched = new WatchedStore(store)
        {
            BeforeEnd = () =>
            {
                proxy!.Inject(Fault.DropResponse(0), where: head => head.IsChange);
                return Task.CompletedTask;
            },
        };

        var made = await here.SendAsync(watched, "a", content, Stop);

        Assert.Equal(0, proxy!.Heal());
        await HoldsAsync(store, made, content);
        Assert.Equal(["a"], (await ListAsync(store)).Select(one => one.Name));
        Assert.Empty(here.JournalFiles);
    }

    [Fact]
    public async Task A_small_object_whose_answer_got_lost_is_ours_too()
    {
        using var store = await OpenAsync();
        proxy!.Inject(Fault.DropResponse(0), where: head => head.IsChange);
        var first = await PutAsync(store, "a", Bytes(1000, 1));
        Assert.Equal(0, proxy.Heal());
        await HoldsAsync(store, first, Bytes(1000, 1));

        proxy.Inject(Fault.DropResponse(0), where: head => head.IsChange);
        var second = await PutAsync(store, "a", Bytes(1000, 2), replaces: first);
        Assert.Equal(0, proxy.Heal());
        await HoldsAsync(store, second, Bytes(1000, 2));
    }

    [Fact]
    public async Task An_object_of_somebody_else_is_not_taken_for_ours_after_a_failure()
    {
        using var store = await OpenAsync();
        var theirs = await PutAsync(store, "a", Bytes(1000, 1));
        proxy!.Inject(Fault.DropResponse(0), where: head => head.IsChange);

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => PutAsync(store, "a", Bytes(1000, 2)));

        await HoldsAsync(store, theirs, Bytes(1000, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_in_which_nothing_moves_is_given_up_and_tried_again(bool inResponse)
    {
        using var store = await OpenAsync(new StoreOptions { NetworkTimeout = Stall });
        using var here = new StoreTransfer();
        using var there = new StoreTransfer();
        var content = ManyParts(store);
        proxy!.Inject(inResponse ? Fault.StallResponse(0) : Fault.StallRequest(MiB), where: head => head.BringsPart);

        await here.SendAsync(store, "a", content, Stop);
        Assert.Equal(0, proxy.Heal());
        var version = (await store.FindAsync("a", Stop))!;

        proxy.Inject(Fault.StallResponse(inResponse ? 0 : MiB), where: head => head.AsksForRange);
        Same(content, await there.FetchAsync(store, version, Stop));
        Assert.Equal(0, proxy.Heal());

        // A listing is read into a buffer as a whole.
        proxy.Inject(Fault.StallResponse(20), where: head => head.Method == "GET");
        Assert.Single(await ListAsync(store));
        Assert.Equal(0, proxy.Heal());
    }

    [Fact]
    public async Task A_slow_line_is_none_in_which_nothing_moves()
    {
        using var store = await OpenAsync(new StoreOptions { NetworkTimeout = Stall, MostRetries = 0 });
        var content = Bytes(3 * MiB, 1);
        var version = await PutAsync(store, "a", content);
        proxy!.BytesPerSecond = MiB / 2;

        // Only one request: a later one can meet a connection that the server has meanwhile closed.
        Same(content, await ReadAllAsync(store, version));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_stalls_can_be_stopped(bool sending)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var version = await PutAsync(store, "there", Bytes(1000, 1));
        proxy!.Inject(Fault.StallResponse(0), times: 100);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var work = sending
            ? here.SendAsync(store, "a", ManyParts(store), stopping.Token)
            : store.ReadAsync(version, 0, new byte[1000], stopping.Token);

        stopping.CancelAfter(TimeSpan.FromSeconds(1));

        // If the stall were noticed first, it would be another error.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    [Fact]
    public async Task A_part_that_was_damaged_on_the_way_is_never_accepted()
    {
        using var store = await OpenAsync(new StoreOptions { MostRetries = 1 });
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        proxy!.Inject(Fault.CorruptRequest(100_000), where: head => head.BringsPart);

        await AcceptsOnlyAsync(store, () => here.SendAsync(store, "a", content, Stop), "a", content);
        Assert.Equal(0, proxy.Heal());

        proxy.Inject(Fault.CorruptRequest(100_000), times: 1000, where: head => head.BringsPart);
        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => here.SendAsync(store, "b", content, Stop));
        proxy.Heal();
        Assert.Null(await store.FindAsync("b", Stop));
    }

    [Fact]
    public async Task A_small_object_that_was_damaged_on_the_way_is_never_accepted()
    {
        using var store = await OpenAsync(new StoreOptions { MostRetries = 1 });
        var content = Bytes(50_000, 1);
        proxy!.Inject(Fault.CorruptRequest(25_000), where: head => head.IsChange);

        await AcceptsOnlyAsync(store, () => PutAsync(store, "a", content), "a", content);
        Assert.Equal(0, proxy.Heal());

        proxy.Inject(Fault.CorruptRequest(25_000), times: 1000, where: head => head.IsChange);
        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => PutAsync(store, "b", content));
        proxy.Heal();
        Assert.Null(await store.FindAsync("b", Stop));
    }

    [Fact]
    public async Task A_range_that_was_damaged_on_the_way_is_no_download()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        using var there = new StoreTransfer();
        var content = Bytes(20 * MiB, 1);
        await here.SendAsync(store, "a", content, Stop);
        var version = (await store.FindAsync("a", Stop))!;
        proxy!.Inject(Fault.CorruptResponse(100_000), times: 1000, head => head.AsksForRange);

        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => there.FetchAsync(store, version, Stop));

        Assert.Equal(0, new FileInfo(there["a"]).Length);
        proxy.Heal();
        Same(content, await there.FetchAsync(store, version, Stop));
    }

    [Theory]
    [InlineData("503")]
    [InlineData("dropped answer")]
    public async Task What_keeps_failing_is_unavailable_after_all_retries(string fault)
    {
        using var store = await OpenAsync(new StoreOptions { MostRetries = 1 });
        var version = await PutAsync(store, "there", Bytes(1000, 1));
        proxy!.Inject(Transient(fault, 0), times: int.MaxValue);
        foreach (var operation in Operations(store, version))
        {
            proxy.Requests.Clear();
            await RefusesAsync(BackupErrorId.CloudUnavailable, operation);

            // Once, and once again; some ask for the reason in a request of its own.
            Assert.InRange(proxy.Requests.Count, 2, 4);
        }
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        using var store = await OpenAsync(new StoreOptions { MostRetries = 1 });
        var version = await PutAsync(store, "there", Bytes(1000, 1));
        await proxy!.DisposeAsync();
        proxy = null;

        foreach (var operation in Operations(store, version))
        {
            await RefusesAsync(BackupErrorId.CloudUnavailable, operation);
        }
    }

    [Theory]
    [InlineData(403, BackupErrorId.CloudAccessDenied)]
    [InlineData(400, BackupErrorId.CloudRefused)]
    public async Task What_is_refused_is_not_tried_again(int status, string errorId)
    {
        using var store = await OpenAsync();
        var version = await PutAsync(store, "there", Bytes(1000, 1));
        proxy!.Inject(Fault.Answer(status), times: int.MaxValue);
        foreach (var operation in Operations(store, version))
        {
            proxy.Requests.Clear();
            await RefusesAsync(errorId, operation);

            // An answer without a body does not show its meaning; asking once more, with another request, is fine.
            Assert.Equal(proxy.Requests.Distinct().Count(), proxy.Requests.Count);
            Assert.InRange(proxy.Requests.Count, 1, 2);
        }
    }

    [Fact]
    public async Task An_interrupted_upload_sends_only_what_was_missing()
    {
        using var store = await OpenAsync(new StoreOptions { MostRetries = 0 });
        using var here = new StoreTransfer();
        var content = Bytes(64 * MiB, 1);
        var watched = new WatchedStore(store)
        {
            AfterPart = _ =>
            {
                if (proxy!.BytesSent > 30 * MiB)
                {
                    proxy.Inject(Fault.DropRequest(MiB), times: int.MaxValue, where: head => head.IsChange);
                }
            },
        };
        var part = store.PartSize(content.Length);
        Assert.InRange(part, 1, 16 * MiB);
        await RefusesAsync(BackupErrorId.CloudUnavailable, () => here.SendAsync(watched, "a", content, Stop));
        proxy!.Heal();
        var arrived = watched.Arrived.Count * part;
        Assert.InRange(arrived, 1, content.Length - 1);

        var before = proxy.BytesSent;
        var made = await here.SendAsync(store, "a", content, Stop);

        // Arrived parts are not sent again: that would be at least one part more. Heads, and bytes in transit through the proxy when the
        // first attempt was given up, are less than one part.
        Assert.InRange(proxy.BytesSent - before, 1, content.Length - arrived + part - 1);
        await HoldsAsync(store, made, content);
    }

    [Fact]
    public async Task An_interrupted_download_fetches_only_what_was_missing()
    {
        using var store = await OpenAsync(new StoreOptions { MostRetries = 0 });
        using var here = new StoreTransfer();
        using var there = new StoreTransfer();
        var content = Bytes(64 * MiB, 1);
        await here.SendAsync(store, "a", content, Stop);
        var version = (await store.FindAsync("a", Stop))!;
        var watched = new WatchedStore(store)
        {
            BeforeRead = offset =>
            {
                if (offset >= 40 * MiB)
                {
                    proxy!.Inject(Fault.DropResponse(MiB), times: int.MaxValue, head => head.AsksForRange);
                }

                return Task.CompletedTask;
            },
        };
        await RefusesAsync(BackupErrorId.CloudUnavailable, () => there.FetchAsync(watched, version, Stop));
        proxy!.Heal();
        var present = new FileInfo(there["a"]).Length;
        Assert.InRange(present, 1, content.Length - 1);

        var before = proxy.BytesReceived;
        var fetched = await there.FetchAsync(store, version, Stop);

        Assert.InRange(proxy.BytesReceived - before, 1, content.Length - present + (MiB / 2));
        Same(content, fetched);
    }

    private static Fault Transient(string fault, long middle) => fault switch
    {
        "dropped request" => Fault.DropRequest(0),
        "dropped in the middle" => Fault.DropRequest(middle),
        "dropped answer" => Fault.DropResponse(0),
        _ => Fault.Answer(int.Parse(fault, System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static IEnumerable<Func<Task>> Operations(IObjectStore store, ObjectInfo version)
    {
        yield return () => store.FindAsync(version.Name, Stop);
        yield return () => ListAsync(store);
        yield return () => store.ReadAsync(version, 0, new byte[10], Stop);
        yield return () => PutAsync(store, "new", Bytes(10, 1));
        yield return () => store.DeleteAsync(version.Name, Stop);
        yield return () => store.RequireContainerAsync(create: false, Stop);
    }

    private static async Task HoldsAsync(IObjectStore store, ObjectInfo version, byte[] content)
    {
        Assert.Equal(content.Length, version.Length);
        var read = new byte[content.Length];
        await store.ReadAsync(version, 0, read, Stop);
        Same(content, read);
        var found = await store.FindAsync(version.Name, Stop);
        Assert.Equal((version.Version, StoreTransfer.Sha256(content)), (found!.Version, found.Sha256));
    }

    /// <summary>Accepts either success, after a retry, or nothing at all.</summary>
    private static async Task AcceptsOnlyAsync(IObjectStore store, Func<Task<ObjectInfo>> send, string name, byte[] content)
    {
        try
        {
            await HoldsAsync(store, await send(), content);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudChecksumMismatch)
        {
            Assert.Null(await store.FindAsync(name, Stop));
        }
    }

    private async Task<IObjectStore> OpenAsync(StoreOptions? options = null)
    {
        proxy = new FaultProxy(await ServerAsync());
        return await OpenThroughAsync(proxy.Address, options ?? new StoreOptions());
    }
}
