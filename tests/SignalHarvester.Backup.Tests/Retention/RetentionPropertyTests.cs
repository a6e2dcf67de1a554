using System.Globalization;
using CsCheck;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Retention;
using Xunit;

namespace SignalHarvester.Backup.Tests.Retention;

/// <summary>Properties for any backups and any rules.</summary>
public sealed class RetentionPropertyTests
{
    // A hundred, the default, did not find a broken rule about chains.
    private const int Cases = 2000;

    private static readonly DateTimeOffset Now = new(2026, 11, 22, 5, 0, 0, TimeSpan.Zero);

    // Small counts, few moments and steep chains, because the collisions matter.
    private static readonly Gen<RetentionRules> Rules =
        from daily in Gen.Int[1, 5]
        from weekly in Gen.Int[0, 4]
        from monthly in Gen.Int[0, 4]
        from yearly in Gen.Int[0, 3]
        from last in Gen.Int[0, 4]
        from within in Gen.Int[-1, 30]
        from days in Gen.Int[0, 100]
        from manual in Gen.Bool
        select new RetentionRules
        {
            KeepDaily = daily,
            KeepWeekly = weekly,
            KeepMonthly = monthly,
            KeepYearly = yearly,
            KeepLast = last,
            KeepWithin = within < 0 ? null : (BackupAge)(decimal)within,
            RetentionDays = days,
            IncludeManual = manual,
        };

    private static readonly Gen<RetentionPolicy?> Policies =
        Gen.Int[0, 3].Select(index => new RetentionPolicy?[] { RetentionPolicy.Daily, RetentionPolicy.Weekly, RetentionPolicy.Monthly, null }[index]);

    private static readonly Gen<string?> Databases = Gen.Int[0, 5].Select(index => index switch { 0 => "/srv/other.db", 1 => null, _ => Listed.Database });

    private static readonly Gen<BackupMetadata[]> Backups =
        (from age in Gen.Int[-200, 24 * 800]
         from policy in Policies
         from database in Databases
         from verification in Gen.Int[0, 5]
         from marks in Gen.Int[0, 19]
         from parent in Gen.Int[-3, 6]
         select (age, policy, database, verification, marks, parent)).Array[0, 40].Select(specs =>
    {
        var backups = new List<BackupMetadata>();
        foreach (var (spec, index) in specs.Select((spec, index) => (spec, index)))
        {
            // Hours apart, or at the same moment with only different ids.
            var backup = Listed.At(Now.AddHours(-spec.age), spec.policy) with
            {
                Id = string.Create(CultureInfo.InvariantCulture, $"backup_20260101_000000_{index:000000}"),
                DatabasePath = spec.database,
                IsSafety = spec.marks == 0,
                IsSourceCorrupt = spec.marks == 1,
                IsPredecessor = spec.marks == 2,
                Type = spec.marks == 2 ? BackupType.Wal : BackupType.Full,
            };
            backup = spec.verification switch
            {
                0 => backup.Unverified(),
                1 => backup.Failed(Now),
                _ => backup,
            };
            if (spec.parent >= 0)
            {
                backup = backup.On(
                    string.Create(CultureInfo.InvariantCulture, $"backup_20260101_000000_{index - 1 - spec.parent:000000}")) with
                { IsPredecessor = false };
            }

            backups.Add(backup);
        }

        return backups.ToArray();
    });

    private static readonly Gen<(BackupMetadata[] Backups, RetentionRules Rules)> Drawn = Gen.Select(Backups, Rules);

    [Fact]
    public void A_rule_that_keeps_more_never_removes_more() => Gen.Select(Drawn, Rules, Gen.Int[0, 5]).Sample((given, more, which) =>
    {
        var raised = which switch
        {
            0 => given.Rules with { KeepDaily = given.Rules.KeepDaily + more.KeepDaily },
            1 => given.Rules with { KeepWeekly = given.Rules.KeepWeekly + more.KeepWeekly },
            2 => given.Rules with { KeepMonthly = given.Rules.KeepMonthly + more.KeepMonthly },
            3 => given.Rules with { KeepYearly = given.Rules.KeepYearly + more.KeepYearly },
            4 => given.Rules with { KeepLast = given.Rules.KeepLast + more.KeepLast },
            _ => given.Rules with { KeepWithin = (given.Rules.KeepWithin?.Value ?? TimeSpan.Zero) + (more.KeepWithin?.Value ?? TimeSpan.Zero) },
        };
        return Removed(given.Backups, raised).IsSubsetOf(Removed(given.Backups, given.Rules));
    }, iter: Cases);

    [Fact]
    public void More_days_for_manual_backups_never_remove_more() => Gen.Select(Drawn, Gen.Int[0, 500]).Sample((given, more) =>
        Removed(given.Backups, given.Rules with { RetentionDays = given.Rules.RetentionDays + more })
            .IsSubsetOf(Removed(given.Backups, given.Rules)), iter: Cases);

    [Fact]
    public void The_order_of_the_backups_does_not_matter() => Gen.Select(Drawn, Gen.Int).Sample((given, seed) =>
    {
        BackupMetadata[] shuffled = [.. given.Backups];
        new Random(seed).Shuffle(shuffled);
        Assert.Equal(
            RetentionPlan.Decide(given.Backups, given.Rules, Now).Select(decision => decision.ToString()),
            RetentionPlan.Decide(shuffled, given.Rules, Now).Select(decision => decision.ToString()));
    }, iter: Cases);

    [Fact]
    public void Each_period_that_a_rule_keeps_has_its_newest_backup() => Drawn.Sample((backups, rules) =>
    {
        var removed = Removed(backups, rules);
        var restorable = Counted(backups).Where(backup => IsComplete(backup, backups)).ToList();
        foreach (var database in restorable.GroupBy(backup => backup.DatabasePath))
        {
            HoldsNewest(Day, rules.KeepDaily, RetentionPolicy.Daily);
            HoldsNewest(Week, rules.KeepWeekly, RetentionPolicy.Weekly);
            HoldsNewest(Month, rules.KeepMonthly, RetentionPolicy.Monthly);
            HoldNewest(database, rules.KeepYearly, Year, _ => true);
            Assert.All(Newest(database).Take(rules.KeepLast), backup => Assert.DoesNotContain(backup.Id, removed));

            void HoldsNewest(Func<DateTime, DateTime> startOf, int count, RetentionPolicy policy)
            {
                HoldNewest(database.Where(backup => backup.RetentionPolicy == policy), count, startOf, _ => true);
                if (rules.IncludeManual)
                {
                    HoldNewest(database, count, startOf, backup => backup.RetentionPolicy is null);
                }
            }
        }

        void HoldNewest(IEnumerable<BackupMetadata> backups, int count, Func<DateTime, DateTime> startOf, Func<BackupMetadata, bool> which) => Assert.All(
            backups.GroupBy(backup => startOf(backup.Timestamp.UtcDateTime)).OrderByDescending(period => period.Key).Take(count),
            period => Assert.All(Newest(period.Where(which)).Take(1), newest => Assert.DoesNotContain(newest.Id, removed)));

        static DateTime Day(DateTime moment) => moment.Date;
        static DateTime Week(DateTime moment) => moment.Date.AddDays(-(((int)moment.DayOfWeek + 6) % 7));
        static DateTime Month(DateTime moment) => new(moment.Year, moment.Month, 1);
        static DateTime Year(DateTime moment) => new(moment.Year, 1, 1);
    }, iter: Cases);

    [Fact]
    public void Of_each_database_something_stays_and_something_verified_where_there_is_any() => Drawn.Sample((backups, rules) =>
    {
        var removed = Removed(backups, rules);
        foreach (var database in Counted(backups).GroupBy(backup => backup.DatabasePath))
        {
            Assert.Contains(database, backup => !removed.Contains(backup.Id));
            var verified = database.Where(backup => backup.Verified && !backup.IsSourceCorrupt && IsSound(backup, backups)).ToList();
            Assert.True(verified.Count == 0 || verified.Exists(backup => !removed.Contains(backup.Id)));
        }
    }, iter: Cases);

    [Fact]
    public void Nothing_goes_that_was_never_to_be_counted() => Drawn.Sample((backups, rules) =>
        Removed(backups, rules)
            .IsSubsetOf(Counted(backups).Where(backup => backup.RetentionPolicy is not null || rules.IncludeManual).Select(backup => backup.Id)), iter: Cases);

    [Fact]
    public void What_must_be_folded_for_the_removals_can_be() => Drawn.Sample((backups, rules) => Assert.All(
        FoldPlan.ForRemoval(backups, Removed(backups, rules)),
        fold => Assert.True(IsSound(fold.Survivor, backups))), iter: Cases);

    [Fact]
    public void Deciding_again_after_the_removals_removes_nothing_more() => Drawn.Sample((backups, rules) =>
        Removed(WithoutRemoved(backups, Removed(backups, rules)), rules).Count == 0, iter: Cases);

    private static HashSet<string> Removed(BackupMetadata[] backups, RetentionRules rules) =>
        [.. RetentionPlan.Decide(backups, rules, Now).Where(decision => decision.Action == RetentionAction.Remove).Select(decision => decision.Backup.Id)];

    private static IEnumerable<BackupMetadata> Counted(BackupMetadata[] backups) =>
        backups.Where(backup => !backup.IsSafety && backup.DatabasePath is not null && backup.Timestamp <= Now);

    private static IEnumerable<BackupMetadata> Newest(IEnumerable<BackupMetadata> backups) =>
        backups.OrderByDescending(backup => backup.Timestamp).ThenByDescending(backup => backup.Id, StringComparer.Ordinal);

    /// <summary>
    /// Returns the backup with all that it builds on; null if it cannot be restored. A parent is always made before, so
    /// there is no circle.
    /// </summary>
    private static List<BackupMetadata>? Chain(BackupMetadata backup, BackupMetadata[] backups)
    {
        var chain = new List<BackupMetadata> { backup };
        while (chain[^1].ParentId is { } id)
        {
            var parent = Array.Find(backups, other => other.Id == id);
            if (parent is null || parent.IsPredecessor || parent.DatabasePath != backup.DatabasePath)
            {
                return null;
            }

            chain.Add(parent);
        }

        return chain[^1].Type == BackupType.Full ? chain : null;
    }

    private static bool IsComplete(BackupMetadata backup, BackupMetadata[] backups) => Chain(backup, backups) is not null;

    private static bool IsSound(BackupMetadata backup, BackupMetadata[] backups) =>
        Chain(backup, backups)?.TrueForAll(link => link.Verified || link.VerificationTimestamp is null || link.IsSourceCorrupt) ?? false;

    private static BackupMetadata[] WithoutRemoved(BackupMetadata[] backups, HashSet<string> removed)
    {
        var folds = FoldPlan.ForRemoval(backups, removed).ToDictionary(fold => fold.Survivor.Id);
        return
        [
            .. backups.Where(backup => !removed.Contains(backup.Id)).Select(backup =>
                !folds.TryGetValue(backup.Id, out var fold) ? backup
                : fold.NewParentId is null ? backup with { Type = BackupType.Full, ParentId = null, BackupPath = $"/backups/{backup.Id}_g2_full.db.zst" }
                : backup.On(fold.NewParentId)),
        ];
    }
}
