using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Protect;

/// <summary>After a power cut with synchronous=NORMAL the database lacks commits that the store has.</summary>
public sealed class PowerCutTests
{
    /// <param name="goesOn">Whether the application is there before the protection, and has put other commits in the place of the lost ones.</param>
    /// <param name="options">With checkpoints, the log has begun anew since the disk got it; without, it is the same one, and longer.</param>
    [Theory]
    [InlineData(false, "")]
    [InlineData(false, "-NoCheckpoint")]
    [InlineData(true, "-NoCheckpoint")]
    public async Task Commits_that_a_power_cut_took_back_are_a_gap_and_come_back_from_the_store(bool goesOn, string options)
    {
        using var folder = new TempFolder();
        using var host = Shbackup.Start();
        using var shop = new Protected(folder.Path, host);
        ProtectedStatus lost;
        IReadOnlyList<TransactionRecord> journal;
        using (var application = await Application.StartAsync(shop.Options))
        {
            shop.Start(options);
            _ = await shop.AwaitStoredAsync();
            _ = await application.WorkAsync(10);
            _ = await shop.AwaitStoredAsync();

            // What the disk has: no flush comes after it.
            _ = Tool.Require("cp").Run("-r", folder["app"], folder["cut"]).EnsureSuccess();
            _ = await application.WorkAsync(10);
            lost = await shop.AwaitStoredAsync();
            journal = shop.Journal;
            shop.Kill();
        }

        File.Delete(shop.Database + "-shm");
        foreach (var file in (string[])["app.db", "app.db-wal"])
        {
            File.Copy(folder["cut", file], folder["app", file], overwrite: true);
        }

        using (var application = await Application.StartAsync(shop.Options with { Seed = 5, OpensAtStart = goesOn }))
        {
            if (goesOn)
            {
                Assert.InRange((await application.WorkAsync(20)).Committed, 1, 20);
            }

            shop.Start(options);
            Assert.Equal(1, (await shop.AwaitStoredAsync()).Gaps);
            Assert.Contains("one step of its stream", shop.Said, StringComparison.Ordinal);
            if (!goesOn)
            {
                _ = (await application.OpenAsync()).Value;
            }

            _ = await application.WorkAsync(10);
            _ = await shop.AwaitStoredAsync();
            await application.EndAsync();
        }

        await shop.StopAsync();
        await shop.AssertRestoresAsync(lost.StoredTransaction, journal);
        await shop.AssertNewestAsync();
    }
}
