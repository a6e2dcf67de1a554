using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.S3;

/// <summary>A stream in a bucket: each transaction comes back on a machine that has nothing else.</summary>
public sealed class S3StreamTests(CephServer ceph)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_transaction_is_restored_from_a_bucket(bool isEncrypted)
    {
        using var world = new StreamWorld(await ceph.NewLocationAsync(), isEncrypted);
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        for (var transaction = 1; transaction <= 20; transaction++)
        {
            world.Commit($"INSERT INTO audit(what) VALUES ('{transaction}')");
            await world.PutAsync();
        }

        world.BackUp();
        world.Commit("DELETE FROM audit WHERE id % 2 = 0");
        await world.PutAsync();

        foreach (var transaction in (long[])[0, 1, 13, 20, 21])
        {
            Assert.Equal(world.Truth[transaction], world.Restored(world.PlanOf(transaction)));
        }
    }

    /// <summary>It answers everything with success, also when an object is to be put only where none is.</summary>
    [Fact]
    public async Task A_store_that_ignores_the_condition_of_a_request_is_refused_at_the_start_and_nothing_is_protected()
    {
        await using var careless = new CannedServer("200 OK", ["ETag: \"0\""], body: "as long as a try");
        using var folder = new TempFolder();
        var database = Databases.Create(folder["app.db"], new DatabaseShape { JournalMode = JournalMode.Wal });
        var before = await File.ReadAllBytesAsync(database, Stop);
        using var store = new StoreCatalog(
            new StoreLocation { Provider = CloudProvider.S3, Container = "careless", Endpoint = careless.Address, UsePathStyle = true },
            new StoreOptions(),
            TimeProvider.System);
        var home = new BackupDirectory(folder["backups"], TimeProvider.System);
        var context = new OperationContext(TimeProvider.System, _ => { }, Stop);
        var entries = ProtectionHost.Resolve([(database, home)], store, context);

        var ended = Assert.Single(ProtectionHost.Run(entries, store, new ProtectionOptions(), context));

        Assert.Equal(BackupErrorId.StoreUnconditional, ended.Fault?.ErrorId);
        Assert.Contains(store.Location.ToString(), ended.Fault!.Message, StringComparison.Ordinal);
        Assert.Contains("Use a store that keeps this condition", ended.Fault.Message, StringComparison.Ordinal);
        Assert.Equal((ProtectionState.Ended, BackupErrorId.StoreUnconditional), (ended.Last!.State, ended.Last.ErrorId));
        Assert.Empty(home.List().Backups);
        Assert.Equal(before, await File.ReadAllBytesAsync(database, Stop));
        Assert.Equal([database], Directory.GetFiles(folder.Path));
    }
}
