using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Tests.Retention;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

/// <summary>The newest backup at or before a moment must be restorable, as far as the sidecars show.</summary>
public sealed class PointInTimeTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static readonly BackupMetadata Good = Listed.At("2026-11-20 02:00");
    private static readonly BackupMetadata Parent = Listed.At("2026-11-21 02:00");
    private static readonly BackupMetadata Child = Listed.At("2026-11-22 02:00").On(Parent);

    [Fact]
    public void A_backup_of_the_very_moment_counts_and_a_later_one_does_not()
    {
        var exact = Listed.At(Noon);
        var later = Listed.At(Noon.AddTicks(10));

        Assert.Equal(exact.Id, Find([Good, exact, later], skipped: []));
    }

    [Fact]
    public void An_increment_counts_like_any_other() => Assert.Equal(Child.Id, Find([Good, Parent, Child], skipped: []));

    [Fact]
    public void One_never_verified_counts_too() => Assert.Equal(Parent.Id, Find([Good, Parent.Unverified()], skipped: []));

    [Fact]
    public void One_that_builds_on_a_backup_that_failed_since_is_passed_over() =>
        Assert.Equal(Good.Id, Find([Good, Parent.Failed(Noon), Child], skipped: [Child.Id, Parent.Id]));

    [Fact]
    public void One_that_passed_since_what_it_builds_on_failed_counts() =>
        Assert.Equal(Child.Id, Find([Good, Parent.Failed(Noon), Child with { VerificationTimestamp = Noon.AddMinutes(1) }], skipped: []));

    [Fact]
    public void One_that_builds_on_what_is_not_there_is_passed_over() => Assert.Equal(Good.Id, Find([Good, Child], skipped: [Child.Id]));

    [Fact]
    public void One_of_a_damaged_database_is_passed_over() =>
        Assert.Equal(Good.Id, Find([Good, Parent with { IsSourceCorrupt = true }], skipped: [Parent.Id]));

    [Fact]
    public void A_bare_log_of_the_predecessor_is_passed_over() =>
        Assert.Equal(Good.Id, Find([Good, Parent with { IsPredecessor = true, Type = BackupType.Wal }], skipped: [Parent.Id]));

    [Fact]
    public void A_safety_backup_is_none_of_them() => Assert.Equal(Good.Id, Find([Good, Parent with { IsSafety = true }], skipped: []));

    [Fact]
    public void Where_none_can_be_restored_the_error_says_so_and_not_that_all_are_younger()
    {
        var error = Scene.Fails(
            BackupErrorId.NoBackupAtMoment, BackupErrorCategory.ObjectNotFound, () => Find([Parent.Failed(Noon), Child], skipped: [Child.Id, Parent.Id]));

        Assert.Contains("2 of that age failed", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Finds the backup, and compares the ids of the skipped ones with the expected ones.</summary>
    private static string Find(BackupMetadata[] backups, string[] skipped)
    {
        List<string> passedOver = [];
        try
        {
            return PointInTime.Find(BackupChain.WithDepths(backups), Noon, backup => passedOver.Add(backup.Id), (_, _) => { }, Noon.AddHours(1)).Id;
        }
        finally
        {
            Assert.Equal(skipped, passedOver);
        }
    }
}
