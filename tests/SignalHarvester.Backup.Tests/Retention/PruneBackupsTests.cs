using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Retention;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Retention;

/// <summary>Decisions take effect under the directory's lock, and only as far as they are still right there.</summary>
public sealed class PruneBackupsTests : IDisposable
{
    private static readonly RetentionRules Rules = new() { KeepDaily = 2 };

    private readonly Scene scene = new();
    private readonly List<BackupException> failed = [];

    public PruneBackupsTests() => Databases.Create(scene.Database, new DatabaseShape { Rows = 5 });

    public void Dispose() => scene.Dispose();

    [Fact]
    public void What_no_rule_keeps_is_removed_and_the_rest_still_restores()
    {
        var ids = Daily(4);
        var decisions = Decide();
        Assert.Equal(decisions, Prune(decisions));
        Assert.Equal(ids[..2], Listed());
        Assert.All(scene.Directory.List().Backups, backup => Assert.True(scene.Verify(backup).Backup.Verified));
        Assert.DoesNotContain(System.IO.Directory.EnumerateFiles(scene.Directory.Path), file => file.Contains(ids[2], StringComparison.Ordinal));
    }

    [Fact]
    public void A_backup_that_appeared_since_costs_no_other_its_place()
    {
        var ids = Daily(3);
        var decisions = Decide();
        var now = scene.Clock.GetUtcNow();
        var appeared = Daily(1)[0];
        Prune(decisions, now);
        Assert.Equal([appeared, ids[0], ids[1]], Listed());
    }

    [Fact]
    public void Where_a_backup_to_keep_vanished_since_another_takes_its_place()
    {
        var ids = Daily(4);
        var decisions = Decide();
        scene.Directory.Remove([ids[0]], new HashSet<string>(), _ => { }, failed.Add, CancellationToken.None);
        var outcome = Prune(decisions);
        Assert.Equal(ids[1..3], Listed());
        Assert.Equal("Keep Keep Keep Remove", string.Join(' ', outcome.Select(decision => decision.Action)));
        Assert.Contains("2 of 2", outcome[2].Reasons[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_newest_verified_backup_failed_a_test_since_the_one_before_it_stays()
    {
        var ids = Daily(2);
        RetentionRules rules = new() { KeepDaily = 0 };
        var decisions = RetentionPlan.Decide(scene.Directory.List().Backups, rules, scene.Clock.GetUtcNow());
        Assert.Equal([RetentionAction.Keep, RetentionAction.Remove], decisions.Select(decision => decision.Action));
        var newest = scene.Directory.Get(ids[0]);
        File.AppendAllText(newest.BackupPath, "rot");
        Assert.NotNull(scene.Verify(newest).Fault);

        var outcome = PruneBackups.Run(BackupCatalog.Of(scene.Directory), decisions, rules, scene.Clock.GetUtcNow(), _ => { }, failed.Add, scene.Context());
        Assert.Equal(["newest verified backup of the database"], outcome[1].Reasons);
        Assert.Equal(ids, Listed());
    }

    [Fact]
    public async Task The_second_decision_is_made_while_the_lock_is_held()
    {
        var ids = Daily(4);
        var decisions = Decide();
        Task<IReadOnlyList<RetentionDecision>> pruning;
        using (File.OpenHandle(scene.Stored(".shbackup/lock"), FileMode.Open, FileAccess.ReadWrite, DurableFile.Exclusive))
        {
            pruning = Task.Run(() => Prune(decisions), TestContext.Current.CancellationToken);
            await Task.Delay(300, TestContext.Current.CancellationToken); // Long enough for a run that looks too early to have looked.
            File.Delete(scene.Stored(ids[0] + ".json"));
        }

        Assert.Equal("Keep Keep Keep Remove", string.Join(' ', (await pruning).Select(decision => decision.Action)));
        Assert.Equal(ids[1..3], Listed());
    }

    [Fact]
    public void What_kept_backups_build_on_is_folded_into_them()
    {
        var chain = Chain();
        var decisions = Decide();
        Assert.Contains($"folded into {chain[1].Id} first", decisions[2].Reasons);
        Assert.Equal(decisions, Prune(decisions));
        Assert.Equal([chain[2].Id, chain[1].Id], Listed());
        Assert.Equal(BackupType.Full, scene.Directory.Get(chain[1].Id).Type);
        Assert.All(scene.Directory.List().Backups, backup => Assert.True(scene.Verify(backup).Backup.Verified));
        Assert.DoesNotContain(Decide(), decision => decision.Action == RetentionAction.Remove);
    }

    [Fact]
    public void It_is_decided_again_after_the_folding()
    {
        var chain = Chain();
        var decisions = Decide();
        var removed = false;
        var context = scene.Context(told =>
        {
            if (told is OperationMessage { IsWarning: false } && !removed)
            {
                removed = true;
                scene.Directory.Remove([chain[2].Id], new HashSet<string>(), _ => { }, failed.Add, CancellationToken.None);
            }
        });
        var outcome = PruneBackups.Run(BackupCatalog.Of(scene.Directory), decisions, Rules, scene.Clock.GetUtcNow(), _ => { }, failed.Add, context);
        Assert.True(removed);
        Assert.All(outcome, decision => Assert.Equal(RetentionAction.Keep, decision.Action));
        Assert.Equal([chain[1].Id, chain[0].Id], Listed());
    }

    [Fact]
    public void What_is_gone_already_is_no_error()
    {
        var ids = Daily(4);
        var decisions = Decide();
        scene.Directory.Remove([ids[3]], new HashSet<string>(), _ => { }, failed.Add, CancellationToken.None);
        Assert.Equal(decisions, Prune(decisions));
        Assert.Equal(ids[..2], Listed());
    }

    [Fact]
    public void What_is_left_out_is_not_touched()
    {
        var ids = Daily(4);
        Prune([.. Decide().Take(3)]);
        Assert.Equal([ids[0], ids[1], ids[3]], Listed());
    }

    [Fact]
    public void What_cannot_be_removed_is_an_error_and_kept_and_says_so()
    {
        var ids = Daily(3);
        scene.Directory.Remove([], new HashSet<string>(), _ => { }, failed.Add, CancellationToken.None);
        File.WriteAllText(scene.Stored(".shbackup/removing"), "in the way of the marker");
        var outcome = PruneBackups.Run(BackupCatalog.Of(scene.Directory), Decide(), Rules, scene.Clock.GetUtcNow(), _ => { }, failed.Add, scene.Context());
        Assert.Single(failed);
        Assert.Equal(RetentionAction.Keep, outcome[2].Action);
        Assert.Equal(["could not be removed: see the error", "daily 2026-11-22: 2 newer days are kept"], outcome[2].Reasons);
        Assert.Equal(ids, Listed());
    }

    [Fact]
    public void Where_nothing_goes_nothing_is_written()
    {
        Daily(2);
        System.IO.Directory.Delete(scene.Stored(".shbackup"), recursive: true);
        var before = Scene.Everything(scene.Directory.Path);
        Prune(Decide());
        Assert.Equal(before, Scene.Everything(scene.Directory.Path));
        Assert.False(System.IO.Directory.Exists(scene.Stored(".shbackup")));
    }

    /// <summary>Makes one daily backup on each of this many successive days.</summary>
    /// <returns>Their ids, newest first.</returns>
    private string[] Daily(int days)
    {
        List<string> ids = [];
        for (var day = 0; day < days; day++)
        {
            ids.Insert(0, scene.Create(new CreateBackupOptions { RetentionPolicy = RetentionPolicy.Daily }).Id);
            scene.Clock.Advance(TimeSpan.FromDays(1));
        }

        return [.. ids];
    }

    /// <summary>Makes a full daily backup and two increments on the following days, oldest first.</summary>
    private BackupMetadata[] Chain() =>
    [
        .. Enumerable.Range(0, 3).Select(day =>
        {
            using (var connection = Databases.Open(scene.Database))
            {
                Databases.Execute(connection, $"CREATE TABLE day{day} (x)");
            }

            var made = scene.Create(
                new CreateBackupOptions { RetentionPolicy = RetentionPolicy.Daily, Strategy = day == 0 ? BackupStrategy.Full : BackupStrategy.Incremental });
            scene.Clock.Advance(TimeSpan.FromDays(1));
            return made;
        }),
    ];

    private IReadOnlyList<RetentionDecision> Decide() => RetentionPlan.Decide(scene.Directory.List().Backups, Rules, scene.Clock.GetUtcNow());

    private IReadOnlyList<RetentionDecision> Prune(IReadOnlyList<RetentionDecision> decisions, DateTimeOffset? now = null)
    {
        var outcome = PruneBackups.Run(
            BackupCatalog.Of(scene.Directory), decisions, Rules, now ?? scene.Clock.GetUtcNow(), _ => { }, failed.Add, scene.Context());
        Assert.Empty(failed);
        return outcome;
    }

    private IEnumerable<string> Listed() => scene.Directory.List().Backups.Select(backup => backup.Id);
}
