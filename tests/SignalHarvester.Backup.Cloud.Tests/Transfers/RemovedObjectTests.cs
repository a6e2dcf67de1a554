using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Folder;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Transfers;

/// <summary>A store's confirmation of a deletion is not trusted without a check.</summary>
public sealed class RemovedObjectTests
{
    [Fact]
    public void What_a_store_says_it_deleted_and_still_has_is_an_error()
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        var context = new OperationContext(TimeProvider.System, _ => { }, TestContext.Current.CancellationToken);
        var directory = new BackupDirectory(folder["backups"], TimeProvider.System);
        var backup = CreateBackup.Run(folder["app.db"], directory, new CreateBackupOptions(), context);
        var location = new StoreLocation { Provider = CloudProvider.Directory, Container = folder["there"] };
        using var remote = new StoreCatalog(
            new WatchedStore(new DirectoryStore(location, new StoreOptions())) { KeepsWhatIsDeleted = true }, TimeProvider.System);
        remote.RequireContainer(create: true, context.Cancellation);
        SendBackup.Run(backup, directory, remote, context);
        var removed = new List<BackupMetadata>();
        var failed = new List<BackupException>();

        RemoveCopies.Run([backup.Id], remote, _ => [directory], removed.Add, failed.Add, context);

        Assert.Empty(removed);
        Assert.Equal(BackupErrorId.CloudObjectKept, Assert.Single(failed).ErrorId);
        Assert.Single(directory.Get(backup.Id).Copies);
    }

    [Fact]
    public void Of_two_places_of_one_name_in_two_accounts_only_the_one_is_forgotten()
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        var context = new OperationContext(TimeProvider.System, _ => { }, TestContext.Current.CancellationToken);
        var directory = new BackupDirectory(folder["backups"], TimeProvider.System);
        var backup = CreateBackup.Run(folder["app.db"], directory, new CreateBackupOptions(), context);
        var location = new StoreLocation { Provider = CloudProvider.Directory, Container = folder["there"], AccountName = "one" };
        using var one = new StoreCatalog(location, new StoreOptions(), TimeProvider.System);
        using var other = new StoreCatalog(location with { AccountName = "other" }, new StoreOptions(), TimeProvider.System);
        one.RequireContainer(create: true, context.Cancellation);
        SendBackup.Run(backup, directory, one, context);
        SendBackup.Run(directory.Get(backup.Id), directory, other, context);

        RemoveCopies.Run([backup.Id], one, _ => [directory], _ => { }, error => throw error, context);

        Assert.Equal("other", Assert.Single(directory.Get(backup.Id).Copies).AccountName);
    }
}
