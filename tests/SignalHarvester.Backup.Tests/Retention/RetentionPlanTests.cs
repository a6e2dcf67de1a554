using SignalHarvester.Backup.Retention;
using SignalHarvester.Backup.Tests.Support;
using Xunit;
using static SignalHarvester.Backup.RetentionPolicy;

namespace SignalHarvester.Backup.Tests.Retention;

/// <summary>Which backups stay and which go, and the reasons, by the rules of docs/RETENTION.md.</summary>
public sealed class RetentionPlanTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 5, 0, 0, TimeSpan.Zero);

    private static readonly RetentionRules ManualToo = new() { KeepDaily = 0, KeepWeekly = 0, KeepMonthly = 0, KeepLast = 1, IncludeManual = true };

    [Fact]
    public void The_newest_seven_daily_backups_stay_and_each_says_why()
    {
        var decisions = Decide(new(), Listed.Daily("2026-11-22", 9));
        Assert.Equal(
            [
                "Keep backup_20261122_020000_000000: daily 2026-11-22, 1 of 7; newest verified backup of the database",
                "Keep backup_20261121_020000_000000: daily 2026-11-21, 2 of 7",
                "Keep backup_20261120_020000_000000: daily 2026-11-20, 3 of 7",
                "Keep backup_20261119_020000_000000: daily 2026-11-19, 4 of 7",
                "Keep backup_20261118_020000_000000: daily 2026-11-18, 5 of 7",
                "Keep backup_20261117_020000_000000: daily 2026-11-17, 6 of 7",
                "Keep backup_20261116_020000_000000: daily 2026-11-16, 7 of 7",
                "Remove backup_20261115_020000_000000: daily 2026-11-15: 7 newer days are kept",
                "Remove backup_20261114_020000_000000: daily 2026-11-14: 7 newer days are kept",
            ],
            decisions.Select(decision => decision.ToString()));
    }

    [Fact]
    public void Days_without_a_backup_do_not_count()
    {
        BackupMetadata[] sparse = [Listed.At("2026-11-20", Daily), Listed.At("2026-07-01", Daily), Listed.At("2025-02-03", Daily)];
        Assert.Equal(["Keep", "Keep", "Remove"], Actions(new() { KeepDaily = 2 }, sparse));
    }

    [Fact]
    public void Of_one_day_the_newest_counts()
    {
        BackupMetadata[] two = [Listed.At("2026-11-21 23:59:59", Daily), Listed.At("2026-11-21 00:00", Daily), Listed.At("2026-11-20 23:59:59", Daily)];
        var decisions = Decide(new(), two);
        Assert.Equal(["daily 2026-11-21: backup_20261121_235959_000000 is newer"], decisions[1].Reasons);
        Assert.Equal("Keep Remove Keep", string.Join(' ', decisions.Select(decision => decision.Action)));
    }

    [Theory]
    [InlineData("2026-11-15 23:59:59", "2026-W46")]
    [InlineData("2026-11-16 00:00", "2026-W47")]
    [InlineData("2026-01-01", "2026-W01")]
    [InlineData("2025-12-29", "2026-W01")]
    [InlineData("2021-01-03", "2020-W53")]
    public void Weeks_are_those_of_ISO_8601(string moment, string week) =>
        Assert.Equal($"weekly {week}, 1 of 4", Decide(new(), Listed.At(moment, Weekly))[0].Reasons[0]);

    [Fact]
    public void Periods_are_in_UTC_whatever_the_offset_of_the_timestamp()
    {
        Assert.Equal("daily 2026-11-19, 1 of 7", Decide(new(), Listed.At("2026-11-20 01:00 +02:00", Daily))[0].Reasons[0]);
        Assert.Equal("monthly 2026-11, 1 of 12", Decide(new(), Listed.At("2026-10-31 22:00 -05:00", Monthly))[0].Reasons[0]);
    }

    [Fact]
    public void Each_rule_judges_the_backups_that_were_made_for_it()
    {
        BackupMetadata[] backups =
        [
            .. Listed.Daily("2026-11-22", 3), Listed.At("2026-11-22 03:00", Weekly), Listed.At("2026-11-15 03:00", Weekly),
            Listed.At("2026-11-01 04:00", Monthly), Listed.At("2026-10-01 04:00", Monthly),
        ];
        var kept = Kept(new() { KeepDaily = 2, KeepWeekly = 1, KeepMonthly = 1 }, backups);
        Assert.Equal(["20261122_030000", "20261122_020000", "20261121_020000", "20261101_040000"], kept);
    }

    [Fact]
    public void Each_database_is_judged_by_itself()
    {
        BackupMetadata[] others = [.. Listed.Daily("2025-01-01", 3).Select(backup => backup with { DatabasePath = "/srv/other.db" })];
        var decisions = Decide(new() { KeepDaily = 2 }, [.. Listed.Daily("2026-11-22", 3), .. others]);
        Assert.Equal("Keep Keep Remove Keep Keep Remove", string.Join(' ', decisions.Select(decision => decision.Action)));
        Assert.Contains("newest verified backup of the database", decisions[3].Reasons);
    }

    [Fact]
    public void RetentionDays_neither_removes_nor_keeps_what_was_made_for_a_rule()
    {
        BackupMetadata[] years = [.. Enumerable.Range(0, 4).Select(year => Listed.At(Now.AddYears(-year).AddDays(-1), Monthly))];
        Assert.Equal(["Keep", "Keep", "Keep", "Remove"], Actions(new() { KeepMonthly = 3, RetentionDays = 0, IncludeManual = true }, years));
        Assert.Equal(["Keep", "Keep", "Keep", "Remove"], Actions(new() { KeepMonthly = 3, RetentionDays = 36500, IncludeManual = true }, years));
    }

    [Fact]
    public void Manual_backups_stay_however_old()
    {
        var decisions = Decide(new() { RetentionDays = 1 }, Listed.Daily("2020-01-01", 30, policy: null));
        Assert.All(decisions, decision => Assert.Equal((RetentionAction.Keep, "manual"), (decision.Action, decision.Reasons[0])));
    }

    [Fact]
    public void With_IncludeManual_those_older_than_RetentionDays_go()
    {
        var decisions = Decide(
            ManualToo, Listed.At(Now.AddDays(-90)), Listed.At(Now.AddDays(-90).AddTicks(-10)), Listed.At(Now.AddDays(-400)));
        Assert.Equal("manual, not older than 90 days", decisions[0].Reasons[0]);
        Assert.Equal([["manual, older than 90 days"], ["manual, older than 90 days"]], decisions.Skip(1).Select(decision => decision.Reasons));
        Assert.Equal(["Keep", "Remove", "Remove"], decisions.Select(decision => decision.Action.ToString()));
    }

    [Fact]
    public void A_calendar_rule_keeps_the_newest_manual_backup_beside_the_one_made_for_the_rule()
    {
        var rules = ManualToo with { KeepMonthly = 2 };
        var decisions = Decide(
            rules,
            Listed.At("2026-07-30", Monthly), Listed.At("2026-07-20"), Listed.At("2026-07-02"), Listed.At("2026-07-01", Monthly),
            Listed.At("2026-06-20"), Listed.At("2026-06-10"), Listed.At("2026-05-30", Monthly), Listed.At("2026-05-20"));
        Assert.Equal("Keep Keep Remove Remove Keep Remove Keep Remove", string.Join(' ', decisions.Select(decision => decision.Action)));
        Assert.Equal("monthly 2026-07, 1 of 2", decisions[1].Reasons[0]);
        Assert.Equal("monthly 2026-06, 2 of 2", decisions[4].Reasons[0]);

        // Made for the rule, in the second month with such a backup. For manual ones, a month counts if it has any backup.
        Assert.Equal("monthly 2026-05, 2 of 2", decisions[6].Reasons[0]);
    }

    [Fact]
    public void KeepYearly_KeepLast_and_KeepWithin_keep_whatever_it_was_made_for()
    {
        BackupMetadata[] backups =
        [
            .. Listed.Daily("2026-11-22", 4), Listed.At("2025-12-30", Weekly), Listed.At("2024-06-01", Monthly), Listed.At("2024-01-01", Daily),
        ];
        RetentionRules none = new() { KeepDaily = 0, KeepWeekly = 0, KeepMonthly = 0 };

        Assert.Equal(["20261122_020000", "20251230_000000", "20240601_000000"], Kept(none with { KeepYearly = 5 }, backups));
        Assert.Equal(["20261122_020000", "20261121_020000"], Kept(none with { KeepLast = 2 }, backups));
        Assert.Equal(["20261122_020000", "20261121_020000", "20261120_020000"], Kept(none with { KeepWithin = TimeSpan.FromHours(51) }, backups));
        Assert.Equal(
            ["yearly 2026, 1 of 5", "last, 1 of 1", "not older than 2d 3h", "newest verified backup of the database"],
            Decide(none with { KeepYearly = 5, KeepLast = 1, KeepWithin = TimeSpan.FromHours(51) }, backups)[0].Reasons);
    }

    [Fact]
    public void KeepYearly_keeps_a_manual_backup_of_a_year_ago()
    {
        BackupMetadata[] backups = [Listed.At("2026-11-22"), Listed.At("2025-12-30"), Listed.At("2025-12-29")];
        Assert.Equal(["20261122_000000", "20251230_000000"], Kept(ManualToo with { KeepYearly = 2 }, backups));
    }

    [Fact]
    public void Zero_switches_one_rule_off()
    {
        var decisions = Decide(new() { KeepDaily = 0 }, [.. Listed.Daily("2026-11-22", 2), Listed.At("2026-11-21", Weekly)]);
        Assert.Equal(["newest verified backup of the database"], decisions[0].Reasons);
        Assert.Equal(["daily 2026-11-21: none is kept"], decisions[1].Reasons);
        Assert.Equal(RetentionAction.Keep, decisions[2].Action);
    }

    public static TheoryData<RetentionRules> KeepNothing =>
    [
        new RetentionRules { KeepDaily = 0, KeepWeekly = 0, KeepMonthly = 0 },
        new RetentionRules { KeepDaily = 0, KeepWeekly = 0, KeepMonthly = 0, RetentionDays = 10, IncludeManual = true },
        new RetentionRules { KeepDaily = 0, KeepWeekly = 0, KeepMonthly = 0, KeepWithin = TimeSpan.Zero },
    ];

    [Theory]
    [MemberData(nameof(KeepNothing))]
    public void Rules_that_would_keep_nothing_are_refused(RetentionRules rules) =>
        Scene.Fails(BackupErrorId.RetentionKeepsNothing, BackupErrorCategory.InvalidArgument, () => Decide(rules, Listed.Daily("2026-11-22", 1)));

    public static TheoryData<RetentionRules> Negative =>
    [
        new RetentionRules { KeepDaily = -1 }, new RetentionRules { KeepWeekly = -1 }, new RetentionRules { KeepMonthly = -1 },
        new RetentionRules { KeepYearly = -1 }, new RetentionRules { KeepLast = int.MinValue }, new RetentionRules { RetentionDays = -1 },
        new RetentionRules { KeepWithin = TimeSpan.FromTicks(-1) },
    ];

    [Theory]
    [MemberData(nameof(Negative))]
    public void Values_below_zero_are_refused(RetentionRules rules) =>
        Scene.Fails(BackupErrorId.InvalidArgument, BackupErrorCategory.InvalidArgument, () => Decide(rules));

    [Fact]
    public void The_largest_values_keep_everything()
    {
        RetentionRules rules = new()
        {
            KeepDaily = int.MaxValue,
            KeepWeekly = int.MaxValue,
            KeepMonthly = int.MaxValue,
            KeepYearly = int.MaxValue,
            KeepLast = int.MaxValue,
            RetentionDays = int.MaxValue,
            KeepWithin = TimeSpan.MaxValue,
            IncludeManual = true,
        };
        Assert.DoesNotContain("Remove", Actions(rules, [.. Listed.Daily("2026-11-22", 3, null), Listed.At(DateTimeOffset.MinValue, Weekly)]));
    }

    [Fact]
    public void The_newest_verified_backup_stays_although_no_rule_keeps_it()
    {
        BackupMetadata[] backups = [.. Listed.Daily("2026-11-22", 5)];
        for (var i = 0; i < 3; i++)
        {
            backups[i] = backups[i].Unverified();
        }

        var decisions = Decide(new() { KeepDaily = 0 }, backups);
        Assert.Equal("Remove Remove Remove Keep Remove", string.Join(' ', decisions.Select(decision => decision.Action)));
        Assert.Equal(["newest verified backup of the database"], decisions[3].Reasons);
    }

    [Fact]
    public void Where_none_is_verified_the_newest_stays()
    {
        var decisions = Decide(new() { KeepDaily = 0 }, [.. Listed.Daily("2026-11-22", 3).Select(Listed.Unverified)]);
        Assert.Equal("Keep Remove Remove", string.Join(' ', decisions.Select(decision => decision.Action)));
        Assert.Equal(["newest backup of the database; none is verified"], decisions[0].Reasons);
    }

    [Fact]
    public void A_backup_that_is_not_verified_does_not_take_the_place_of_one_that_is()
    {
        var days = Listed.Daily("2026-11-22", 6);
        BackupMetadata[] backups = [days[0].Unverified(), days[1].Failed(Now), days[2] with { IsSourceCorrupt = true, Verified = false }, .. days[3..]];
        var decisions = Decide(new() { KeepDaily = 2 }, backups);
        Assert.Equal("Keep Keep Remove Keep Keep Remove", string.Join(' ', decisions.Select(decision => decision.Action)));
        Assert.Equal(["daily 2026-11-18, 2 of 2 verified"], decisions[4].Reasons);
    }

    [Fact]
    public void The_verified_backup_of_a_day_stays_beside_a_newer_one_that_is_not()
    {
        BackupMetadata[] backups =
        [
            Listed.At("2026-11-22 01:00", Daily), Listed.At("2026-11-21 09:00", Daily).Unverified(), Listed.At("2026-11-21 02:00", Daily),
            Listed.At("2026-11-21 01:00", Daily),
        ];
        Assert.Equal(["Keep", "Keep", "Keep", "Remove"], Actions(new(), backups));
    }

    [Fact]
    public void A_damaged_source_is_never_the_newest_verified_backup()
    {
        var backups = Listed.Daily("2026-11-22", 2);
        backups[0] = backups[0] with { IsSourceCorrupt = true };
        Assert.Equal(["newest verified backup of the database"], Decide(new() { KeepDaily = 0 }, backups)[1].Reasons);
    }

    [Fact]
    public void Safety_backups_stay_and_count_for_nothing()
    {
        BackupMetadata[] safety = [.. Listed.Daily("2026-11-22", 5, policy: null).Select(backup => backup with { IsSafety = true })];
        var daily = Listed.Daily("2026-11-16", 3);
        var decisions = Decide(new() { KeepDaily = 0, KeepLast = 2, KeepYearly = 1, IncludeManual = true, RetentionDays = 0 }, [.. safety, .. daily]);
        Assert.All(
            decisions.Take(5),
            decision => Assert.Equal("Keep: safety backup: restores keep the last three", $"{decision.Action}: {Assert.Single(decision.Reasons)}"));
        Assert.Equal("Keep Keep Remove", string.Join(' ', decisions.Skip(5).Select(decision => decision.Action)));
        Assert.Equal(["yearly 2026, 1 of 1", "last, 1 of 2", "newest verified backup of the database"], decisions[5].Reasons);
    }

    [Fact]
    public void Backups_dated_in_the_future_stay_and_count_for_nothing()
    {
        // The clock was a year ahead for ten days, and was then set back.
        var ahead = Listed.Daily("2027-11-20", 10);
        var daily = Listed.Daily("2026-11-22", 8);
        RetentionRules rules = new() { KeepLast = 3, KeepYearly = 1, KeepWithin = 1m };
        var decisions = Decide(rules, [.. ahead, .. daily]);
        Assert.All(
            decisions.Take(10),
            decision => Assert.Equal("Keep: dated in the future: a clock is or was wrong", $"{decision.Action}: {Assert.Single(decision.Reasons)}"));
        Assert.Equal(Decide(rules, daily).Select(decision => decision.ToString()), decisions.Skip(10).Select(decision => decision.ToString()));

        // A backup made at this very moment counts.
        Assert.Contains("last, 1 of 3", Decide(rules, Listed.At(Now))[0].Reasons);
    }

    [Fact]
    public void A_clock_that_is_behind_removes_nothing_that_was_made_before()
    {
        DateTimeOffset behind = new(2000, 1, 1, 0, 10, 0, TimeSpan.Zero);
        IEnumerable<RetentionDecision> decisions = RetentionPlan.Decide([.. Listed.Daily("2026-11-22", 20), Listed.At("2000-01-01", Daily)], new(), behind);
        Assert.All(decisions, decision => Assert.Equal(RetentionAction.Keep, decision.Action));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void A_backup_whose_database_is_not_known_stays(string? path)
    {
        BackupMetadata[] unknown = [.. Listed.Daily("2026-11-22", 3).Select(backup => backup with { DatabasePath = path })];
        Assert.All(Decide(new() { KeepDaily = 1 }, unknown), decision => Assert.Equal("its sidecar names no database", Assert.Single(decision.Reasons)));
    }

    [Fact]
    public void An_uploaded_backup_is_judged_like_any_other()
    {
        var local = Listed.Daily("2026-11-22", 9);
        BackupMetadata[] uploaded = [.. local.Select(backup => backup with { CloudUrl = "s3://bucket/" + backup.Id, CloudProvider = CloudProvider.S3 })];
        Assert.Equal(Decide(new(), local).Select(decision => decision.ToString()), Decide(new(), uploaded).Select(decision => decision.ToString()));
    }

    [Fact]
    public void What_kept_backups_build_on_goes_only_after_it_is_folded()
    {
        var full = Listed.At("2026-11-17", Daily);
        var middle = Listed.At("2026-11-18", Daily).On(full);
        var older = Listed.At("2026-11-19", Daily).On(middle);
        var newer = Listed.At("2026-11-20", Daily).On(middle);
        var dropped = Listed.At("2026-11-16", Daily).On(full);
        var decisions = Decide(new() { KeepDaily = 2 }, full, middle, older, newer, dropped);
        Assert.Equal("Keep Keep Remove Remove Remove", string.Join(' ', decisions.Select(decision => decision.Action)));
        Assert.Equal(["daily 2026-11-18: 2 newer days are kept", $"folded into {older.Id} first"], decisions[2].Reasons);
        Assert.Equal(["daily 2026-11-17: 2 newer days are kept", $"folded into {older.Id} first"], decisions[3].Reasons);
        Assert.Equal(["daily 2026-11-16: 2 newer days are kept"], decisions[4].Reasons);
    }

    [Fact]
    public void A_full_backup_that_names_a_parent_needs_none()
    {
        var old = Listed.At("2026-11-17", Daily);
        Assert.Single(Decide(new() { KeepDaily = 1 }, old, Listed.At("2026-11-18", Daily) with { ParentId = old.Id })[1].Reasons);
    }

    [Fact]
    public void A_parent_that_stays_ends_the_folding()
    {
        var full = Listed.At("2026-11-18", Daily);
        var kept = Listed.At("2026-11-19", Weekly).On(full);
        var child = Listed.At("2026-11-20", Daily).On(kept);
        Assert.Contains($"folded into {kept.Id} first", Decide(new() { KeepDaily = 1 }, full, kept, child)[2].Reasons);
    }

    public static TheoryData<string> WhatBreaksAChain => ["missing", "failed", "child failed", "circle", "another database", "no parent named"];

    [Theory]
    [MemberData(nameof(WhatBreaksAChain))]
    public void A_chain_that_cannot_be_folded_stays_whole(string broken)
    {
        var full = Listed.At("2026-11-17", Daily);
        var middle = Listed.At("2026-11-18", Daily).On(full);
        var last = Listed.At("2026-11-19", Daily).On(middle);
        BackupMetadata[] chain = broken switch
        {
            "missing" => [middle, last],
            "failed" => [full.Failed(Now), middle, last],
            "child failed" => [full, middle, last.Failed(Now)],
            "circle" => [full.On(last), middle, last],
            "another database" => [full with { DatabasePath = "/srv/other.db" }, middle, last],
            _ => [full.On((string?)null), middle, last],
        };
        var old = Listed.At("2026-11-01", Daily);
        var decisions = Decide(new() { KeepDaily = 1 }, [.. chain, old]);
        Assert.All(decisions.Where(decision => decision.Backup.Id != old.Id), decision => Assert.Equal(RetentionAction.Keep, decision.Action));
        Assert.Contains($"needed by {last.Id}: a chain with a missing or failed link stays complete", decisions[1].Reasons);

        // None of them is the newest verified backup either: that is the one which still restores.
        var proven = broken == "child failed" ? middle : old;
        Assert.Contains("newest verified backup of the database", decisions.Single(decision => decision.Backup.Id == proven.Id).Reasons);
    }

    [Fact]
    public void Nothing_is_folded_into_a_backup_that_failed()
    {
        var full = Listed.At("2026-11-17", Daily);
        var child = Listed.At("2026-11-18", Weekly).On(full).Failed(Now);
        var decisions = Decide(new() { KeepDaily = 1 }, full, child, Listed.At("2026-11-19", Daily));
        Assert.Equal([$"needed by {child.Id}: a chain with a missing or failed link stays complete"], decisions[2].Reasons);
    }

    [Fact]
    public void A_parent_that_dependants_sound_and_unsound_need_stays()
    {
        var full = Listed.At("2026-11-17", Daily);
        var sound = Listed.At("2026-11-18", Weekly).On(full);
        var unsound = Listed.At("2026-11-19", Monthly).On(full).Failed(Now);
        Assert.Equal(["Keep", "Keep", "Keep"], Actions(new() { KeepDaily = 0 }, full, sound, unsound));
    }

    [Fact]
    public void A_backup_verified_after_its_parent_failed_is_verified()
    {
        var full = Listed.At("2026-11-17", Daily).Failed(Now.AddHours(-2));
        var child = Listed.At("2026-11-18", Daily).On(full);
        Assert.DoesNotContain("newest verified backup of the database", Decide(new(), full, child).SelectMany(decision => decision.Reasons));
        child = child with { VerificationTimestamp = Now.AddHours(-1) };
        Assert.Contains("newest verified backup of the database", Decide(new(), full, child)[0].Reasons);
    }

    [Fact]
    public void What_cannot_be_restored_by_itself_takes_no_place()
    {
        var rawLog = Listed.At("2026-11-21 12:00", Daily) with { Type = BackupType.Wal, IsPredecessor = true, BackupPath = "/backups/x_wal.db" };
        var fullCopy = Listed.At("2026-11-21", Daily) with { Type = BackupType.Incremental, IsPredecessor = true };
        var decisions = Decide(new() { KeepDaily = 1 }, rawLog, fullCopy.Unverified());
        Assert.Equal(["daily 2026-11-21, 1 of 1 incomplete"], decisions[0].Reasons);
        Assert.Equal(["daily 2026-11-21, 1 of 1", "newest backup of the database; none is verified"], decisions[1].Reasons);
    }

    [Fact]
    public void A_chain_of_any_length_is_followed()
    {
        BackupMetadata[] days = [.. Listed.Daily("2026-11-22", 20_000).Reverse()];
        for (var i = 1; i < days.Length; i++)
        {
            days[i] = days[i].On(days[i - 1]);
        }

        var decisions = Decide(new() { KeepDaily = 1 }, days);
        Assert.Equal(1, decisions.Count(decision => decision.Action == RetentionAction.Keep));
        Assert.Equal($"folded into {days[^1].Id} first", decisions[^1].Reasons[1]);
    }

    [Fact]
    public void No_backup_no_decision() => Assert.Empty(Decide(new()));

    private static IReadOnlyList<RetentionDecision> Decide(RetentionRules rules, params BackupMetadata[] backups) => RetentionPlan.Decide(backups, rules, Now);

    private static IEnumerable<string> Actions(RetentionRules rules, params BackupMetadata[] backups) =>
        Decide(rules, backups).Select(decision => decision.Action.ToString());

    private static IEnumerable<string> Kept(RetentionRules rules, params BackupMetadata[] backups) =>
        Decide(rules, backups).Where(decision => decision.Action == RetentionAction.Keep).Select(decision => decision.Backup.Id[7..^7]);
}
