using SignalHarvester.Backup.ObjectStorage;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>Whole files, sent and fetched.</summary>
public abstract partial class ObjectStoreConformance
{
    [Fact]
    public async Task A_file_comes_back_as_it_was_sent()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        using var there = new StoreTransfer();
        var content = Bytes((40 * MiB) + 1, 1);

        var made = await here.SendAsync(store, "a", content, Stop);
        var found = await store.FindAsync("a", Stop);

        Assert.NotNull(found);
        Assert.Equal((content.Length, StoreTransfer.Sha256(content), made.Version), (found.Length, found.Sha256, found.Version));
        Same(content, await there.FetchAsync(store, found, Stop));
        Assert.Empty(here.JournalFiles);
        Assert.Empty(await PendingAsync(store));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task The_smallest_files_come_back_too(int length)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        using var there = new StoreTransfer();

        await here.SendAsync(store, "a", Bytes(length, 1), Stop);

        Assert.Equal(Bytes(length, 1), await there.FetchAsync(store, (await store.FindAsync("a", Stop))!, Stop));
    }

    [Fact]
    public async Task An_upload_that_was_stopped_goes_on_and_sends_only_what_is_missing()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        // The last part is not sent before the stop, so that there is always something missing.
        var last = (int)Math.Ceiling((double)content.Length / store.PartSize(content.Length));
        var first = new WatchedStore(store)
        {
            BeforePart = number => number == last ? Task.Delay(Timeout.Infinite, stopping.Token) : Task.CompletedTask,
            AfterPart = number => StopAt(2, number, stopping),
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(first, "a", content, stopping.Token));
        Assert.Null(await store.FindAsync("a", Stop));

        using var reopened = Reopen(store.Location);
        var second = new WatchedStore(reopened);
        var made = await here.SendAsync(second, "a", content, Stop);

        Assert.NotEmpty(first.Arrived);
        Assert.NotEmpty(second.Arrived);
        Assert.Empty(first.Arrived.Intersect(second.Arrived));
        Assert.Equal(second.Arrived.Count, second.Arrived.Distinct().Count());
        Same(content, await ReadAllAsync(store, made));
        Assert.Empty(here.JournalFiles);
    }

    [Fact]
    public async Task An_upload_that_was_stopped_before_its_end_sends_nothing_again()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = new WatchedStore(store) { BeforeEnd = stopping.CancelAsync };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(first, "a", content, stopping.Token));

        var second = new WatchedStore(store);
        var made = await here.SendAsync(second, "a", content, Stop);

        Assert.Empty(second.Arrived);
        Same(content, await ReadAllAsync(store, made));
    }

    [Fact]
    public async Task An_upload_that_cannot_be_gone_on_with_leaves_nothing()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var watched = new WatchedStore(store) { AfterPart = number => StopAt(1, number, stopping) };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(watched, "a", ManyParts(store), stopping.Token, keepsJournal: false));

        Assert.Empty(await PendingAsync(store));
        Assert.Null(await store.FindAsync("a", Stop));
    }

    [Fact]
    public async Task An_upload_that_the_service_forgot_begins_anew()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var watched = new WatchedStore(store) { AfterPart = number => StopAt(1, number, stopping) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(watched, "a", content, stopping.Token));
        await store.AbortUploadAsync("a", watched.UploadId!, Stop);

        var made = await here.SendAsync(store, "a", content, Stop);

        Same(content, await ReadAllAsync(store, made));
    }

    [Fact]
    public async Task An_upload_that_was_begun_to_be_kept_otherwise_begins_anew()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = new WatchedStore(store) { BeforeEnd = stopping.CancelAsync };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(first, "a", content, stopping.Token));

        // It would end as it began: unlocked, although it is reported as locked.
        var second = new WatchedStore(store) { OtherOptions = new StoreOptions { ImmutableFor = TimeSpan.FromDays(1) } };
        var made = await here.SendAsync(second, "a", content, Stop);

        Assert.Equal(first.Arrived.Order(), second.Arrived.Order());
        Same(content, await ReadAllAsync(store, made));
        Assert.Empty(await PendingAsync(store));
    }

    [Fact]
    public async Task A_file_that_changed_between_two_runs_is_not_mixed()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = new WatchedStore(store) { AfterPart = number => StopAt(2, number, stopping) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(first, "a", content, stopping.Token));

        content[0] ^= 1;
        var made = await here.SendAsync(store, "a", content, Stop);

        Same(content, await ReadAllAsync(store, made));
        Assert.Equal(StoreTransfer.Sha256(content), (await store.FindAsync("a", Stop))!.Sha256);
        Assert.Empty(await PendingAsync(store));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_that_is_not_what_was_recorded_is_not_sent(bool large)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = large ? ManyParts(store) : Bytes(1000, 1);

        await RefusesAsync(BackupErrorId.BackupChecksumMismatch, () => here.SendAsync(store, "a", content, Stop, sha256: StoreTransfer.Sha256([])));

        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Empty(await NamesAsync(store));
        Assert.Empty(await PendingAsync(store));
        Assert.Empty(here.JournalFiles);
    }

    [Fact]
    public async Task A_file_that_becomes_shorter_while_it_is_sent_is_no_copy()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var watched = new WatchedStore(store)
        {
            BeforePart = number =>
            {
                if (number == 1)
                {
                    using var file = File.OpenHandle(here["a"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                    RandomAccess.SetLength(file, PartSize(store));
                }

                return Task.CompletedTask;
            },
        };

        await RefusesAsync(BackupErrorId.BackupChecksumMismatch, () => here.SendAsync(watched, "a", ManyParts(store), Stop));

        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Empty(await PendingAsync(store));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_there_already_is_not_sent_again(bool large)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = large ? ManyParts(store) : Bytes(1000, 1);
        var made = await here.SendAsync(store, "a", content, Stop);

        var watched = new WatchedStore(store);
        var again = await here.SendAsync(watched, "a", content, Stop);

        Assert.Equal(made.Version, again.Version);
        Assert.Equal(0, watched.Puts + watched.Arrived.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_object_of_the_name_stays_as_it_is(bool large)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var taken = await PutAsync(store, "a", Bytes(1000, 1));
        var watched = new WatchedStore(store);

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => here.SendAsync(watched, "a", large ? ManyParts(store) : Bytes(1000, 2), Stop));

        Assert.Equal(Bytes(1000, 1), await ReadAllAsync(store, taken));
        Assert.Equal(0, watched.Puts + watched.Arrived.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Another_object_that_appears_meanwhile_stays_as_it_is(bool large)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        Assert.SkipWhen(
            large && store.Location.Provider == CloudProvider.Azure,
            "Azurite takes staged blocks for an object when one is put; AzureTests takes the name in another way");
        var watched = new WatchedStore(store) { BeforeEnd = () => PutAsync(store, "a", Bytes(1000, 1)) };

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => here.SendAsync(watched, "a", large ? ManyParts(store) : Bytes(1000, 2), Stop));

        Assert.Equal(Bytes(1000, 1), await ReadAllAsync(store, (await store.FindAsync("a", Stop))!));
        Assert.Empty(await PendingAsync(store));
        Assert.Empty(here.JournalFiles);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_same_object_that_appears_meanwhile_is_the_copy(bool large)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        using var other = new StoreTransfer();
        var content = large ? ManyParts(store) : Bytes(1000, 2);
        ObjectInfo? theirs = null;
        var watched = new WatchedStore(store) { BeforeEnd = async () => theirs ??= await other.SendAsync(store, "a", content, Stop) };

        var made = await here.SendAsync(watched, "a", content, Stop);

        Assert.Equal(theirs!.Version, made.Version);
        Assert.Empty(await PendingAsync(store));
        Assert.Empty(here.JournalFiles);
    }

    [Fact]
    public async Task An_upload_that_another_machine_made_meanwhile_leaves_nothing()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        using var elsewhere = new StoreTransfer();
        var content = ManyParts(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var watched = new WatchedStore(store) { AfterPart = number => StopAt(1, number, stopping) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(watched, "a", content, stopping.Token));
        var theirs = await elsewhere.SendAsync(store, "a", content, Stop);

        var made = await here.SendAsync(store, "a", content, Stop);

        Assert.Equal(theirs.Version, made.Version);
        Assert.Empty(await PendingAsync(store));
        Assert.Empty(here.JournalFiles);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"sha256\":null,\"length\":1,\"part_size\":1,\"upload_id\":null}")]
    public async Task A_damaged_journal_is_none(string damaged)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var watched = new WatchedStore(store) { AfterPart = number => StopAt(1, number, stopping) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.SendAsync(watched, "a", content, stopping.Token));
        await File.WriteAllTextAsync(Assert.Single(here.JournalFiles), damaged, Stop);

        var made = await here.SendAsync(store, "a", content, Stop);

        Same(content, await ReadAllAsync(store, made));
    }

    [Fact]
    public async Task Two_runs_do_not_send_the_same_object_at_once()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var content = ManyParts(store);
        Exception? second = null;
        var watched = new WatchedStore(store)
        {
            BeforePart = async number =>
            {
                if (number == 1)
                {
                    second = await Record.ExceptionAsync(() => here.SendFileAsync(store, "a", StoreTransfer.Sha256(content), Stop));
                }
            },
        };

        var made = await here.SendAsync(watched, "a", content, Stop);

        Assert.Equal(BackupErrorId.CloudTransferInProgress, Assert.IsType<BackupException>(second).ErrorId);
        Same(content, await ReadAllAsync(store, made));
    }

    [Fact]
    public async Task A_download_of_which_nothing_is_recorded_takes_nothing_for_its_beginning()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var (content, version) = await SentAsync(store);
        await File.WriteAllBytesAsync(here["a"], new byte[16 * MiB], Stop);

        Same(content, await here.FetchAsync(store, version with { Sha256 = null }, Stop));
    }

    [Fact]
    public async Task A_download_that_was_stopped_goes_on()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var (content, version) = await SentAsync(store);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = new WatchedStore(store) { BeforeRead = offset => offset >= 32 * MiB ? stopping.CancelAsync() : Task.CompletedTask };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => here.FetchAsync(first, version, stopping.Token));
        var present = new FileInfo(here["a"]).Length;

        var second = new WatchedStore(store);
        var fetched = await here.FetchAsync(second, version, Stop);

        Same(content, fetched);
        Assert.InRange(present, 1, 32 * MiB);
        Assert.Equal(content.Length - present, second.BytesRead);
    }

    [Fact]
    public async Task A_download_whose_beginning_was_damaged_is_fetched_again()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var (content, version) = await SentAsync(store);
        var damaged = content[..(16 * MiB)];
        damaged[9 * MiB] ^= 1;
        await File.WriteAllBytesAsync(here["a"], damaged, Stop);

        Same(content, await here.FetchAsync(store, version, Stop));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(123)]
    public async Task A_file_that_is_longer_than_the_object_is_cut(int excess)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var (content, version) = await SentAsync(store);
        await File.WriteAllBytesAsync(here["a"], [.. content, .. new byte[excess]], Stop);

        Same(content, await here.FetchAsync(store, version, Stop));
    }

    [Fact]
    public async Task An_object_that_is_not_what_was_recorded_is_no_download()
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var version = await PutAsync(store, "a", Bytes(1000, 1));

        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => here.FetchAsync(store, version, Stop, sha256: StoreTransfer.Sha256(Bytes(1000, 2))));

        Assert.Equal(0, new FileInfo(here["a"]).Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_object_that_is_replaced_or_removed_while_it_is_fetched_is_no_download(bool removed)
    {
        using var store = await OpenAsync();
        using var here = new StoreTransfer();
        var (_, version) = await SentAsync(store);
        var watched = new WatchedStore(store)
        {
            BeforeRead = async offset =>
            {
                if (offset != 32 * MiB)
                {
                    return;
                }

                await store.DeleteAsync("a", Stop);
                if (!removed)
                {
                    await PutAsync(store, "a", Bytes(1000, 2));
                }
            },
        };

        await RefusesAsync(BackupErrorId.CloudObjectChanged, () => here.FetchAsync(watched, version, Stop));
    }

    private static async Task<(byte[] Content, ObjectInfo Version)> SentAsync(IObjectStore store)
    {
        using var elsewhere = new StoreTransfer();
        var content = Bytes((40 * MiB) + 1, 6);
        await elsewhere.SendAsync(store, "a", content, Stop);
        return (content, (await store.FindAsync("a", Stop))!);
    }

    private static void StopAt(int last, int number, CancellationTokenSource stopping)
    {
        if (number == last)
        {
            stopping.Cancel();
        }
    }
}
