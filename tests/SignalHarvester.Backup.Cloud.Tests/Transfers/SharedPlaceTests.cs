using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Folder;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Transfers;

/// <summary>Two runs that send to one place at the same time.</summary>
public sealed class SharedPlaceTests
{
    [Fact]
    public void The_same_backup_sent_twice_at_once_is_there_once_and_no_error()
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        var context = Context(TimeProvider.System);
        var directory = new BackupDirectory(folder["backups"], TimeProvider.System);
        var backup = CreateBackup.Run(folder["app.db"], directory, new CreateBackupOptions(), context);
        var store = new DirectoryStore(new StoreLocation { Provider = CloudProvider.Directory, Container = folder["there"] }, new StoreOptions());
        using var other = new StoreCatalog(store, TimeProvider.System);
        other.RequireContainer(create: true, context.Cancellation);
        var ends = 0;
        using var own = new StoreCatalog(
            new WatchedStore(store)
            {
                // Its file has arrived, and its sidecar is the second to end.
                BeforeEnd = () => Task.Run(() => ++ends == 2 ? SendBackup.Run(backup, directory, other, Context(new Later())) : null),
            },
            TimeProvider.System);

        var sent = SendBackup.Run(backup, directory, own, context);

        Assert.Equal(2, ends);
        Assert.Single(sent.Copies);
        Assert.Equal(backup.Id, Assert.Single(own.List(context.Cancellation).Backups).Id);
        Assert.Single(directory.Get(backup.Id).Copies);
    }

    private static OperationContext Context(TimeProvider clock) => new(clock, _ => { }, TestContext.Current.CancellationToken);

    private sealed class Later : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromMinutes(1);
    }
}
