using System.Text.Json.Nodes;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Metrics;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Scrub;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Retention;
using SignalHarvester.Backup.Tests.Retention;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Create;

/// <summary>
/// A clock that was wrong once, ahead or behind, reverses no order: the backup made last counts as the last, both before the wrong
/// dates and after them.
/// </summary>
public sealed class WrongClockTests : IDisposable
{
    private static readonly TimeSpan Ahead = TimeSpan.FromDays(30);

    private readonly Scene scene = new();
    private readonly DateTimeOffset begun;
    private int rows;

    public WrongClockTests()
    {
        begun = scene.Clock.GetUtcNow();
        Databases.Create(scene.Database, new DatabaseShape { JournalMode = JournalMode.Delete });
    }

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData(30)]
    [InlineData(-30)]
    public void The_last_three_safety_backups_are_those_that_were_made_last_and_among_them_that_of_the_running_restore(int days)
    {
        var backup = scene.Create();
        List<string> overwritten = [];
        foreach (var offset in (int[])[days, days, days, 0, 0, 0, 0])
        {
            At(TimeSpan.FromDays(offset) + TimeSpan.FromMinutes(overwritten.Count));
            Insert();
            overwritten.Add(ImageHash.Of(scene.Database));
            scene.RestoreTo(scene.Database, backup);
            Assert.Equal(
                overwritten.TakeLast(3),
                scene.Directory.List().Backups.Where(kept => kept.IsSafety).Reverse().Select(kept => kept.Checksum));
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(-30)]
    public void What_was_made_last_is_the_newest_is_listed_first_built_on_and_the_answer_to_now(int days)
    {
        var first = Make();
        At(TimeSpan.FromDays(days));
        var wrong = Make();
        At(TimeSpan.FromDays(1));
        var last = Make();

        // Before the wrong date, a little after it, and long after it.
        foreach (var (day, hour) in new[] { (1, 1), (29, 23), (30, 1), (60, 0) })
        {
            At(TimeSpan.FromDays(day) + TimeSpan.FromHours(hour));
            Assert.Equal([last.Id, wrong.Id, first.Id], Listed());
            Assert.Equal(last.Id, NewestBackups.OfEach(scene.Directory.List().Backups).Single().Id);
            Assert.Equal(last.Id, AtMoment(scene.Clock.GetUtcNow(), out _));
            last = Make(out var parent);
            Assert.Equal(parent.Id, last.ParentId);
            scene.Remove(parent);
        }
    }

    [Fact]
    public void The_place_of_a_backup_stays_when_what_was_dated_ahead_is_gone_and_when_its_sidecar_is_rewritten()
    {
        Make();
        At(Ahead);
        var wrong = Make();
        At(TimeSpan.FromDays(1));
        var second = Make();
        scene.Remove(wrong);
        scene.Verify(second);
        At(TimeSpan.FromDays(2));
        var third = Make();
        Assert.Equal([third.Id, second.Id], Listed().Take(2));
        Assert.Equal(Listed(), scene.Directory.List().Backups.OrderByDescending(backup => backup.Timestamp).Select(backup => backup.Id));
    }

    [Fact]
    public void Where_no_clock_was_wrong_a_sidecar_names_no_place()
    {
        Make();
        Make();
        Assert.All(scene.Directory.List().Backups, backup => Assert.Null(JsonNode.Parse(scene.Directory.ReadSidecar(backup.Id)!)!["order"]));
    }

    [Fact]
    public void Behind_a_forged_end_of_time_there_is_room_as_well()
    {
        var forged = scene.Create();
        var sidecar = scene.Stored(forged.Id + ".json");
        var fields = JsonNode.Parse(File.ReadAllText(sidecar))!.AsObject();
        fields["timestamp"] = "9999-12-31T23:59:59.999999+00:00";
        File.WriteAllText(sidecar, fields.ToJsonString());
        var next = scene.Create();
        Assert.Contains(next.Id, Listed());
    }

    [Fact]
    public void A_moment_in_the_past_gives_what_was_made_last_before_it_and_names_the_backup_that_contradicts()
    {
        var first = Make();
        At(Ahead);
        var wrong = Make();
        At(Ahead - TimeSpan.FromHours(8));
        var nightly = Make();

        // The wrong one has a date between the nightly one and the moment.
        Assert.Equal(nightly.Id, AtMoment(begun + Ahead + TimeSpan.FromHours(1), out var before));
        Assert.Equal(wrong.Id, before);
        Assert.Equal(first.Id, AtMoment(begun + TimeSpan.FromDays(2), out before));
        Assert.Null(before);
    }

    [Fact]
    public void A_backup_whose_date_has_come_does_not_take_the_place_of_one_that_was_made_after_it()
    {
        var daily = new CreateBackupOptions { RetentionPolicy = RetentionPolicy.Daily };
        At(Ahead);
        var wrong = scene.Create(daily);
        At(Ahead - TimeSpan.FromHours(1));
        var nightly = scene.Create(daily);
        At(Ahead + TimeSpan.FromDays(1));
        var last = scene.Create(daily);
        var decisions = RetentionPlan.Decide(
            scene.Directory.List().Backups, new RetentionRules { KeepDaily = 2, KeepWeekly = 0, KeepMonthly = 0 }, scene.Clock.GetUtcNow());
        Assert.Equal(
            [(last.Id, RetentionAction.Keep), (nightly.Id, RetentionAction.Keep), (wrong.Id, RetentionAction.Remove)],
            decisions.Select(decision => (decision.Backup.Id, decision.Action)));
    }

    [Fact]
    public void A_verification_that_is_dated_ahead_does_not_outweigh_a_failure_of_today()
    {
        DateTimeOffset now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        var good = Retention.Listed.At("2026-11-19 02:00", RetentionPolicy.Daily);
        var parent = Retention.Listed.At("2026-11-20 02:00", RetentionPolicy.Daily).Failed(now.AddHours(-1));
        var child = Retention.Listed.At("2026-11-21 02:00", RetentionPolicy.Daily).On(parent) with { VerificationTimestamp = now + Ahead };
        BackupMetadata[] all = [good, parent, child];

        Assert.Equal(good.Id, PointInTime.Find(BackupChain.WithDepths(all), now, _ => { }, (_, _) => { }, now).Id);
        var kept = RetentionPlan.Decide(all, new RetentionRules { KeepDaily = 1, KeepWeekly = 0, KeepMonthly = 0 }, now);
        Assert.Contains(kept, decision => decision.Backup.Id == good.Id && decision.Action == RetentionAction.Keep);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_verification_that_was_dated_ahead_does_not_outweigh_what_failed_after_it_once_its_date_has_come(bool passesAgain)
    {
        var alone = Make();
        var parent = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Full });
        var child = Make();
        At(Ahead);
        scene.Verify(child);
        At(TimeSpan.FromDays(1));
        var sound = File.ReadAllBytes(parent.BackupPath);
        File.WriteAllBytes(parent.BackupPath, [.. sound[..^9], (byte)(sound[^9] ^ 1), .. sound[^8..]]);
        _ = VerifyBackup.Run(BackupSource.In(scene.Directory, parent), VerificationLevel.Quick, scene.Context());
        if (passesAgain)
        {
            File.WriteAllBytes(parent.BackupPath, sound);
            scene.Verify(child);
        }

        // Before the wrong date, and long after it.
        foreach (var day in (int[])[2, 29, 31, 60])
        {
            At(TimeSpan.FromDays(day));
            Assert.Equal(passesAgain ? child.Id : alone.Id, AtMoment(scene.Clock.GetUtcNow(), out _));
        }

        Assert.NotNull(JsonNode.Parse(scene.Directory.ReadSidecar(parent.Id)!)!["verification_order"]);
    }

    [Fact]
    public void A_read_that_was_dated_ahead_does_not_outweigh_a_later_one_once_its_date_has_come()
    {
        var backup = scene.Create();
        At(Ahead);
        scene.Verify(backup);
        At(TimeSpan.FromDays(1));
        Assert.NotNull(ScrubBackup.Run(backup, scene.Directory, _ => [], scene.Context()));
        var read = scene.Clock.GetUtcNow();
        At(TimeSpan.FromDays(60));
        Assert.Equal(read, scene.Directory.Get(backup.Id).LastRead);

        At(Ahead + Ahead + Ahead);
        Assert.NotNull(ScrubBackup.Run(backup, scene.Directory, _ => [], scene.Context()));
        At(TimeSpan.FromDays(61));
        scene.Verify(backup);
        read = scene.Clock.GetUtcNow();
        At(Ahead + Ahead + Ahead + Ahead);
        Assert.Equal(read, scene.Directory.Get(backup.Id).LastRead);
    }

    [Fact]
    public void A_file_that_was_read_at_a_moment_to_come_is_read_first_and_then_in_its_turn()
    {
        BackupMetadata[] backups = [scene.Create(), scene.Create(), scene.Create()];
        At(Ahead);
        scene.Verify(backups[1]);
        At(TimeSpan.FromDays(1));
        Assert.Equal(backups[1].Id, Planned()[0]);
        Assert.NotNull(ScrubBackup.Run(backups[1], scene.Directory, _ => [], scene.Context()));
        Assert.Equal(scene.Clock.GetUtcNow(), scene.Directory.Get(backups[1].Id).LastRead);
        Assert.Equal(backups[1].Id, Planned()[^1]);

        string[] Planned() => [.. ScrubPlan.Of(scene.Directory, percent: null, scene.Clock.GetUtcNow(), _ => { }).Select(backup => backup.Id)];
    }

    [Fact]
    public void A_safety_backup_does_not_push_out_the_page_digests_that_the_next_backup_builds_on()
    {
        var backup = Make();
        Insert();
        scene.RestoreTo(scene.Database, backup);
        Assert.Contains(Directory.EnumerateFiles(scene.Stored(".shbackup/digests")), file => file.EndsWith(backup.Id + ".pages", StringComparison.Ordinal));
    }

    [Fact]
    public void A_success_at_a_moment_to_come_silences_no_alert_and_the_last_one_is_the_one_recorded_last()
    {
        Record(Ahead);
        Assert.Equal(0, LastSuccess());
        Record(TimeSpan.FromDays(1));
        Assert.Equal((begun + TimeSpan.FromDays(1)).ToUnixTimeSeconds(), LastSuccess());

        // Long after it, and when the event is only part of a sum.
        At(TimeSpan.FromDays(35));
        Assert.Equal((begun + TimeSpan.FromDays(1)).ToUnixTimeSeconds(), LastSuccess());
        new EventHistory(scene.Directory, kept: 1, slack: 0).Record([Done(TimeSpan.FromDays(2)) with { Operation = BackupOperation.Scrub }], scene.Context());
        Assert.Equal((begun + TimeSpan.FromDays(1)).ToUnixTimeSeconds(), LastSuccess());

        void Record(TimeSpan when)
        {
            At(TimeSpan.FromDays(1));
            new EventHistory(scene.Directory).Record([Done(when)], scene.Context());
        }

        BackupEvent Done(TimeSpan when) => new() { Operation = BackupOperation.Create, Database = scene.Database, Timestamp = begun + when };

        double LastSuccess()
        {
            Directory.CreateDirectory(scene.Directory.Path);
            var text = System.Text.Encoding.UTF8.GetString(MetricText.Of(scene.Directory, new MetricOptions(), scene.Context()));
            return double.Parse(
                text.Split('\n').Single(line => line.StartsWith("shbackup_last_success_timestamp_seconds{", StringComparison.Ordinal)).Split(' ')[^1],
                System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public void The_metrics_of_backups_dated_ahead_say_that_nothing_is_known()
    {
        At(Ahead);
        scene.Create();
        At(TimeSpan.FromDays(1));
        var text = System.Text.Encoding.UTF8.GetString(MetricText.Of(scene.Directory, new MetricOptions(), scene.Context()));
        Assert.Contains($"shbackup_last_success_timestamp_seconds{{database=\"{scene.Database}\"}} 0\n", text, StringComparison.Ordinal);
        Assert.Contains($"shbackup_oldest_check_timestamp_seconds{{database=\"{scene.Database}\"}} 0\n", text, StringComparison.Ordinal);
        var last = scene.Create();
        At(TimeSpan.FromDays(1) + TimeSpan.FromSeconds(11));
        text = System.Text.Encoding.UTF8.GetString(MetricText.Of(scene.Directory, new MetricOptions(), scene.Context()));
        Assert.Contains("backup_newest_age_seconds 10\n", text, StringComparison.Ordinal);
        Assert.Equal(begun + TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1), last.Timestamp);
    }

    /// <summary>Sets the clock to a time relative to the test's beginning.</summary>
    private void At(TimeSpan time) => scene.Clock.AdjustTime(begun + time);

    private void Insert()
    {
        using var connection = Databases.Open(scene.Database);
        Databases.Execute(connection, $"CREATE TABLE added{rows++} (x)");
    }

    private BackupMetadata Make() => Make(out _);

    private BackupMetadata Make(out BackupMetadata parent)
    {
        parent = scene.Directory.Exists && scene.Directory.List().Backups is [var newest, ..] ? newest : null!;
        Insert();
        return scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental });
    }

    private string[] Listed() => [.. scene.Directory.List().Backups.Select(backup => backup.Id)];

    private string AtMoment(DateTimeOffset moment, out string? before)
    {
        string? contradicting = null;
        var found = PointInTime.Find(scene.Directory.List().Backups, moment, _ => { }, (_, other) => contradicting = other.Id, scene.Clock.GetUtcNow()).Id;
        before = contradicting;
        return found;
    }
}
