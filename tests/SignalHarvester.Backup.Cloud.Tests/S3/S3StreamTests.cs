using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

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
}
