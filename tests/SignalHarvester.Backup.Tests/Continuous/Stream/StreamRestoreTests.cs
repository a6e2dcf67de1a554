using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Stream;

/// <summary>Each transaction of a stream comes back, to the byte; where it cannot, the nearest ones are named.</summary>
public sealed class StreamRestoreTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_transaction_is_restored_by_its_number_and_by_its_time(bool isEncrypted)
    {
        using var world = new StreamWorld(isEncrypted: isEncrypted);
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        world.Commit("INSERT INTO audit(what) VALUES ('one')");
        await world.PutAsync();
        world.Commit("BEGIN; CREATE TABLE more(x); INSERT INTO more SELECT zeroblob(30000); COMMIT");
        world.Commit("UPDATE customer SET name = name || '!'");
        await world.PutAsync();
        var hour = world.BackUp();
        world.Commit("DROP TABLE more");
        world.Commit("PRAGMA incremental_vacuum");
        await world.PutAsync();
        world.Commit("BEGIN; CREATE TABLE again(x); INSERT INTO again SELECT randomblob(30000); COMMIT");
        await world.PutAsync();

        foreach (var (transaction, truth) in world.Truth)
        {
            var plan = world.PlanOf(transaction);
            Assert.Equal(truth, world.Restored(plan));
            Assert.Equal(transaction >= 3, plan.Start.Id == hour.Id);
            Assert.Equal(transaction is 0 or 3, plan.SegmentCount == 0);
            var between = world.TimeOf(transaction).AddMilliseconds(transaction == 0 ? 0 : 999);
            Assert.Equal(transaction, StreamPlanner.AtMoment(world.Store, world.Backups, between, world.Context)!.Transaction);
        }

        Assert.Null(StreamPlanner.AtMoment(world.Store, world.Backups, world.TimeOf(0).AddMilliseconds(-1), world.Context));
        Assert.Equal(6, world.Transaction);
        Assert.Contains("ends with transaction 6", Fails(BackupErrorId.TransactionNotFound, () => world.PlanOf(7)).Message, StringComparison.Ordinal);
    }

    private static BackupException Fails(string errorId, Action action)
    {
        var error = Assert.Throws<BackupException>(action);
        Assert.True(errorId == error.ErrorId, $"{error.ErrorId} instead of {errorId}: {error.Message}");
        return error;
    }
}
