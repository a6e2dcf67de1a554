using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>The ordinary backup beside a stream, killed between any two of its things. All at once, since each waits a minute until one is due.</summary>
public sealed class KillDuringStreamBackupTests
{
    [Fact]
    public async Task A_protection_that_is_killed_in_its_ordinary_backup_goes_on_without_a_gap()
    {
        using var folder = new TempFolder();
        using var host = Shbackup.Start();
        var publishing = Path.Combine("backups", ".shbackup", "publishing");
        (string Call, string Folder, int Number)[] points =
        [
            ("rename", Path.Combine("backups", ".shbackup", "digests"), 1),
            ("rename", publishing, 1),
            ("rename", "backups", 1),
            ("rename", publishing, 2),
            ("rename", Path.Combine("store", ".shbackup", "objects"), 1),

            // Calls are counted by thread, and a transfer has several: this is its first one after the backup's file is in the store.
            ("unlink", Path.Combine("store", ".shbackup", "uploads"), 1),
        ];
        var shops = points.Select((point, index) => (Shop: new Protected(folder.Folder($"{index}"), host), Point: point, Root: folder[$"{index}"])).ToList();
        try
        {
            await Task.WhenAll(shops.Select(one => KillAsync(one.Shop, one.Point.Call, Path.Combine(one.Root, one.Point.Folder), one.Point.Number)));
            foreach (var (shop, _, _) in shops)
            {
                await shop.StopAsync();
                await shop.AssertNewestAsync();

                // The next backup takes away what the killed one has left.
                var here = $"-BackupDirectory {Shbackup.Quote(shop.Backups)}";
                var states = await host.AskAsync(
                    $"New-SHBackup {Shbackup.Quote(shop.Database)} {here} | Out-Null; Get-SHBackup {here} | Test-SHBackup | ForEach-Object {{ \"$($_.Verified)\" }}");
                Assert.All(states, state => Assert.Equal("True", state));
                Chains.AssertDescribed(shop.Backups);
            }
        }
        finally
        {
            shops.ForEach(one => one.Shop.Dispose());
        }
    }

    private static async Task KillAsync(Protected shop, string call, string place, int number)
    {
        using var application = await Application.StartAsync(shop.Options);
        shop.Start("-NoCheckpoint -BackupInterval 1m");
        _ = await shop.AwaitStoredAsync();
        using (await shop.TrapAsync(call, number, place))
        {
            _ = await application.WorkAsync(20);
            await shop.KilledAsync();
        }

        _ = await application.WorkAsync(10);
        shop.Start("-NoCheckpoint -BackupInterval 1m");
        Assert.Equal(0, (await shop.AwaitStoredAsync()).Gaps);
        _ = await application.WorkAsync(5);
        _ = await shop.AwaitStoredAsync();
        await application.EndAsync();
    }
}
