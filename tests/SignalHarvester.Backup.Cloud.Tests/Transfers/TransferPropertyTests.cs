using CsCheck;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Folder;
using SignalHarvester.Backup.TestSupport;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Transfers;

/// <summary>Transfers of any length, in parts of any size, that break off anywhere any number of times.</summary>
public sealed class TransferPropertyTests
{
    private const int Cases = 150;

    [Fact]
    public async Task An_upload_arrives_whole_and_every_part_once_wherever_it_breaks_off() => await Gen
        .Select(Gen.Int[0, 5000], Gen.Int[1, 1500], Gen.Select(Gen.Int[1, 12], Gen.Bool).List[0, 4])
        .SampleAsync(
            async (length, partBytes, breaks) =>
            {
                using var folder = new TempFolder();
                using var here = new StoreTransfer();
                using var there = new StoreTransfer();
                using var inner = Open(folder);
                var content = Bytes(length, length);
                var arrived = new List<int>();
                foreach (var (part, isBefore) in breaks)
                {
                    var breaking = new WatchedStore(inner)
                    {
                        PartBytes = partBytes,
                        BeforePart = number => isBefore && number >= part ? throw new BrokenOffException() : Task.CompletedTask,
                        AfterPart = number => ThrowIf(!isBefore && number >= part),
                    };
                    var error = await Record.ExceptionAsync(() => here.SendAsync(breaking, "a", content, Stop));
                    Assert.True(error is null or BrokenOffException, error?.ToString());
                    Assert.Equal(error is null, await inner.FindAsync("a", Stop) is not null);
                    arrived.AddRange(breaking.Arrived);
                }

                var last = new WatchedStore(inner) { PartBytes = partBytes };
                var made = await here.SendAsync(last, "a", content, Stop);
                arrived.AddRange(last.Arrived);

                Assert.Equal(content, await there.FetchAsync(inner, made, Stop));
                var count = length <= partBytes ? 0 : (length + partBytes - 1) / partBytes;
                Assert.Equal(Enumerable.Range(1, count), arrived.Order());
                Assert.Empty(here.JournalFiles);
            },
            iter: Cases,
            threads: 2);

    [Fact]
    public async Task A_download_arrives_whole_wherever_it_breaks_off_and_whatever_happens_to_its_beginning() => await Gen
        .Select(Gen.Int[0, 5000], Gen.Int[1, 1500], Gen.Select(Gen.Int[0, 5000], Gen.Enum<Harm>(), Gen.Int[0, 4999]).List[0, 4])
        .SampleAsync(
            async (length, partBytes, breaks) =>
            {
                using var folder = new TempFolder();
                using var here = new StoreTransfer();
                using var there = new StoreTransfer();
                using var inner = Open(folder);
                var content = Bytes(length, length);
                var version = await there.SendAsync(inner, "a", content, Stop);
                foreach (var (offset, harm, place) in breaks)
                {
                    var breaking = new WatchedStore(inner) { BeforeRead = at => at >= offset ? throw new BrokenOffException() : Task.CompletedTask };
                    var error = await Record.ExceptionAsync(() => here.FetchAsync(breaking, version, Stop, partBytes: partBytes));
                    Assert.True(error is null or BrokenOffException, error?.ToString());
                    Hurt(here["a"], harm, place);
                }

                Assert.Equal(content, await here.FetchAsync(inner, version, Stop, partBytes: partBytes));
                var again = new WatchedStore(inner);
                Assert.Equal(content, await here.FetchAsync(again, version, Stop, partBytes: partBytes));
                Assert.Equal(length % partBytes, again.BytesRead);
            },
            iter: Cases,
            threads: 2);

    private static DirectoryStore Open(TempFolder folder) =>
        new(new StoreLocation { Provider = CloudProvider.Directory, Container = folder.Path }, new StoreOptions());

    private static void ThrowIf(bool condition)
    {
        if (condition)
        {
            throw new BrokenOffException();
        }
    }

    private static void Hurt(string path, Harm harm, int place)
    {
        var bytes = File.ReadAllBytes(path);
        switch (harm)
        {
            case Harm.Damaged when bytes.Length > 0:
                bytes[place % bytes.Length] ^= 1;
                break;
            case Harm.Shortened:
                bytes = bytes[..Math.Min(place, bytes.Length)];
                break;
            case Harm.Lengthened:
                bytes = [.. bytes, .. new byte[place]];
                break;
        }

        File.WriteAllBytes(path, bytes);
    }

    /// <summary>What happens to a partly fetched file between two runs.</summary>
    private enum Harm
    {
        None,
        Damaged,
        Shortened,
        Lengthened,
    }

    private sealed class BrokenOffException : Exception;
}
