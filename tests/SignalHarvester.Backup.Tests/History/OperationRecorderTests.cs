using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.History;

/// <summary>Records of operations that the tests of the cmdlets do not show.</summary>
public sealed class OperationRecorderTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    private IReadOnlyList<BackupEvent> Events => new EventHistory(scene.Directory).Read(new EventQuery(), scene.Context());

    [Fact]
    public void A_stopped_backup_is_recorded_as_such()
    {
        Databases.Create(scene.Database, new DatabaseShape { Rows = 4000 });
        using var stop = new CancellationTokenSource();
        var context = scene.ContextUntil(stop.Token, told => stop.Cancel()) with { Schedule = "nightly" };

        Assert.ThrowsAny<OperationCanceledException>(() => BackupEngine.Create(scene.Database, scene.Directory, new CreateBackupOptions(), context));

        var told = Assert.Single(Events);
        Assert.Equal(
            (BackupEventStatus.Stopped, BackupEvent.Stopped, "Stopped; nothing was left behind.", "nightly", null),
            (told.Status, told.ErrorId, told.ErrorMessage, told.Schedule, told.BackupId));
    }

    [Fact]
    public void The_first_failure_of_all_is_recorded_where_the_backups_were_to_go()
    {
        Scene.Fails(
            BackupErrorId.SourceNotFound,
            BackupErrorCategory.ObjectNotFound,
            () => BackupEngine.Create(scene.Database, scene.Directory, new CreateBackupOptions { Strategy = BackupStrategy.Auto }, scene.Context()));

        var told = Assert.Single(Events);
        Assert.Equal((BackupErrorId.SourceNotFound, scene.Database, null), (told.ErrorId, told.Database, told.Type));
        Assert.Contains(scene.Database, told.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_is_not_there_is_not_made_for_the_sake_of_the_history()
    {
        List<BackupException> failed = [];
        var none = new BackupMetadata { Id = "backup_20261122_020000_123456", BackupPath = "none", BackupDirectory = scene.Directory.Path };
        Scene.Fails(
            BackupErrorId.DirectoryNotFound,
            BackupErrorCategory.ObjectNotFound,
            () => BackupEngine.Remove([BackupSource.In(scene.Directory, none)], _ => { }, failed.Add, scene.Context()));

        Assert.False(Directory.Exists(scene.Directory.Path));
    }

    [Fact]
    public void What_an_operation_does_within_another_is_no_event_of_its_own()
    {
        Databases.Create(scene.Database);
        var backup = BackupEngine.Create(scene.Database, scene.Directory, new CreateBackupOptions(), scene.Context());
        scene.Clock.Advance(TimeSpan.FromSeconds(1));

        // Over the database itself: a safety backup is made first.
        BackupEngine.Restore(
            BackupSource.In(scene.Directory, backup), new RestoreOptions { Destination = scene.Database, SafetyDirectory = scene.Directory }, scene.Context());

        Assert.Contains(scene.Directory.List().Backups, listed => listed.IsSafety);
        Assert.Equal([BackupOperation.Restore, BackupOperation.Create], Events.Select(told => told.Operation));
        Assert.Equal(scene.Database, Events[0].Destination);
    }
}
