using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>A protection is killed at each step of a commit's way into the store, while the application goes on with a log that nobody begins anew.</summary>
public sealed class KillDuringSegmentTests
{
    [Fact]
    public async Task A_killed_protection_goes_on_with_the_same_bytes_and_misses_nothing()
    {
        using var folder = new TempFolder();
        using var host = Shbackup.Start();
        using var shop = new Protected(folder.Path, host);
        using var application = await Application.StartAsync(shop.Options);
        shop.Start("-NoCheckpoint");
        _ = await shop.AwaitStoredAsync();
        _ = await application.WorkAsync(10);
        var before = await shop.AwaitStoredAsync();
        var placed = Path.Combine(shop.State, "place.partial");
        var reported = new List<(long Transaction, int Count)>();
        foreach (var (call, path, isKept, isStored) in new (string, Func<string, string>, bool, bool)[]
        {
            ("fsync", _ => placed, false, true),
            ("rename", _ => Path.GetFileName(placed), false, true),
            ("rename", next => next + ".partial", true, false),

            // The upload's own file, which goes when the segment has its place.
            ("unlink", _ => "name", true, true),
        })
        {
            reported.Add((before.StoredTransaction, shop.Journal.Count));
            var next = Protected.NameOf(before.Segment + 1);
            using (await shop.TrapAsync(call, 1, path(next)))
            {
                _ = await application.WorkAsync(5);
                await shop.KilledAsync();
            }

            var (name, bytes) = shop.Pending;
            var stored = Path.Combine(shop.Stream, name);
            Assert.Equal((isKept ? next : Protected.NameOf(before.Segment), isStored), (name, File.Exists(stored)));
            _ = await application.WorkAsync(5);
            shop.Start("-NoCheckpoint");
            before = await shop.AwaitStoredAsync();
            Assert.Equal(0, before.Gaps);
            Assert.Equal(bytes, await File.ReadAllBytesAsync(stored, TestContext.Current.CancellationToken));
        }

        await application.EndAsync();
        await shop.StopAsync();
        await shop.AssertNewestAsync();
        foreach (var (transaction, count) in reported)
        {
            await shop.AssertRestoresAsync(transaction, [.. shop.Journal.Take(count)]);
        }
    }
}
