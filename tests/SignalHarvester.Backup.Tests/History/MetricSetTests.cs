using System.Text;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Metrics;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.History;

/// <summary>How events become counters and histograms.</summary>
public sealed class MetricSetTests : IDisposable
{
    private readonly Scene scene = new();

    public MetricSetTests()
    {
        Directory.CreateDirectory(scene.Directory.Path);
    }

    public void Dispose() => scene.Dispose();

    [Fact]
    public void Histograms_count_by_the_predecessors_buckets_their_bounds_included()
    {
        double[] seconds = [0.5, 1, 1.000001, 5, 29, 30, 1800, 1801];
        Record([.. seconds.Select(value => Made with { Duration = TimeSpan.FromSeconds(value) })]);

        var lines = Lines();

        Assert.Equal(
            ["1|2", "5|4", "10|4", "30|6", "60|6", "120|6", "300|6", "600|6", "1800|7", "+Inf|8"],
            Buckets(lines, "backup_duration_seconds_bucket{backup_type=\"full\",le="));
        Assert.Contains("backup_duration_seconds_count{backup_type=\"full\"} 8", lines);
        Assert.Equal(seconds.Sum(), Value(lines, "backup_duration_seconds_sum{backup_type=\"full\"}"), 1e-6);
    }

    [Fact]
    public void Sizes_count_by_type_and_codec()
    {
        const long mib = 1 << 20;
        long[] sizes = [mib, mib + 1, 100 * mib, 500 * mib, 1024 * mib, 5120 * mib, 10240 * mib, (10240 * mib) + 1];
        Record([.. sizes.Select(value => Made with { Bytes = value })]);

        var lines = Lines();

        Assert.Equal(
            ["1048576|1", "10485760|2", "104857600|3", "524288000|4", "1073741824|5", "5368709120|6", "10737418240|7", "+Inf|8"],
            Buckets(lines, "backup_size_bytes_bucket{backup_type=\"full\",compression=\"gzip\",le="));
        Assert.Equal(sizes.Sum(), Value(lines, "backup_size_bytes_sum{backup_type=\"full\",compression=\"gzip\"}"), 10.0);
    }

    [Fact]
    public void Every_operation_moves_its_counters_and_no_others()
    {
        var before = Counters();
        Assert.Empty(Added(Made with { Operation = BackupOperation.Remove }));
        Assert.Empty(Added(Made with { Operation = BackupOperation.Merge }));
        Assert.Empty(Added(Made with { Operation = BackupOperation.Receive, Status = BackupEventStatus.Failed }));
        Assert.Empty(Added(Made with { Operation = BackupOperation.Drill }));
        Assert.Equal(["shbackup_scrubs_total{status=\"failed\"}"], Added(Made with { Operation = BackupOperation.Scrub, Status = BackupEventStatus.Failed }));
        Assert.Empty(Added(Made with { Operation = BackupOperation.Retention, BackupId = null }));
        Assert.Equal(
            ["backup_runs_total{backup_type=\"full\",status=\"success\"}", "backup_verifications_total{status=\"success\"}"],
            Added(Made with { Verified = true }));
        Assert.Equal(["backup_runs_total{backup_type=\"full\",status=\"success\"}"], Added(Made));
        Assert.Equal(
            ["backup_runs_total{backup_type=\"full\",status=\"stopped\"}"], Added(Made with { Status = BackupEventStatus.Stopped, BackupId = null }));
        Assert.Equal(
            ["backup_errors_total{backup_type=\"wal\",error_type=\"creation\"}", "backup_runs_total{backup_type=\"wal\",status=\"failed\"}"],
            Added(Made with { Type = BackupType.Wal, Status = BackupEventStatus.Failed }));
        Assert.Equal(
            ["backup_errors_total{backup_type=\"auto\",error_type=\"creation\"}", "backup_runs_total{backup_type=\"auto\",status=\"failed\"}"],
            Added(Made with { Type = null, Status = BackupEventStatus.Failed }));
        Assert.Equal(
            [
                "backup_errors_total{backup_type=\"full\",error_type=\"verification\"}",
                "backup_runs_total{backup_type=\"full\",status=\"failed\"}", "backup_verifications_total{status=\"failed\"}",
            ],
            Added(Made with { Verified = false, Status = BackupEventStatus.Failed }));
        Assert.Equal(["backup_verifications_total{status=\"success\"}"], Added(Made with { Operation = BackupOperation.Verify, Verified = true }));
        Assert.Equal(
            ["backup_errors_total{backup_type=\"full\",error_type=\"verification\"}", "backup_verifications_total{status=\"failed\"}"],
            Added(Made with { Operation = BackupOperation.Verify, Status = BackupEventStatus.Failed }));
        Assert.Equal(
            ["backup_uploads_total{provider=\"gcs\",status=\"success\"}"],
            Added(Made with { Operation = BackupOperation.Upload, Provider = CloudProvider.Gcs }));
        Assert.Equal(
            ["backup_errors_total{backup_type=\"full\",error_type=\"upload\"}", "backup_uploads_total{provider=\"s3\",status=\"failed\"}"],
            Added(Made with { Operation = BackupOperation.Upload, Provider = CloudProvider.S3, Status = BackupEventStatus.Failed }));
        Assert.Equal(["backup_restores_total{status=\"success\"}"], Added(Made with { Operation = BackupOperation.Restore }));
        Assert.Equal(
            ["backup_errors_total{backup_type=\"full\",error_type=\"restore\"}", "backup_restores_total{status=\"failed\"}"],
            Added(Made with { Operation = BackupOperation.Restore, Status = BackupEventStatus.Failed }));
        Assert.Equal(["backup_retention_pruned_total{retention_policy=\"manual\"}"], Added(Made with { Operation = BackupOperation.Retention }));
        Assert.Equal(
            ["backup_retention_pruned_total{retention_policy=\"monthly\"}"],
            Added(Made with { Operation = BackupOperation.Retention, RetentionPolicy = RetentionPolicy.Monthly }));

        // Each of them is there from the beginning, at 0, except those of a kind that never happened.
        Assert.All(before, line => Assert.EndsWith(" 0", line, StringComparison.Ordinal));
        Assert.Equal(9 + 12 + 12 + 3 + 3 + 4 + 3, before.Length);

        IEnumerable<string> Added(BackupEvent told)
        {
            var former = Counters().ToHashSet();
            Record(told);
            return Counters().Where(line => !former.Contains(line)).Select(line => line[..line.LastIndexOf(' ')]).Order(StringComparer.Ordinal);
        }
    }

    [Fact]
    public void Last_success_and_drill_of_a_database_survive_the_roll_up_and_a_database_without_backups_is_remembered_for_a_while()
    {
        var moment = scene.Clock.GetUtcNow();
        var history = new EventHistory(scene.Directory, kept: 2, slack: 1);
        history.Record([Made, Made with { Operation = BackupOperation.Drill, Timestamp = moment.AddHours(1) }], scene.Context());
        for (var i = 0; i < 10; i++)
        {
            history.Record([Made with { Database = "/srv/other.db", Status = BackupEventStatus.Failed, Timestamp = moment.AddHours(2) }], scene.Context());
        }

        scene.Clock.Advance(TimeSpan.FromHours(2));
        var lines = Lines(new MetricOptions { ExpectedInterval = database => database == "/srv/app.db" ? TimeSpan.FromHours(6) : null });

        Assert.Equal(moment.ToUnixTimeSeconds(), Value(lines, "shbackup_last_success_timestamp_seconds{database=\"/srv/app.db\"}"), 0.001);
        Assert.Equal(moment.AddHours(1).ToUnixTimeSeconds(), Value(lines, "shbackup_last_drill_success_timestamp_seconds{database=\"/srv/app.db\"}"), 0.001);
        Assert.Contains("shbackup_expected_interval_seconds{database=\"/srv/app.db\"} 21600", lines);
        Assert.Contains("shbackup_backups{database=\"/srv/app.db\"} 0", lines);
        Assert.DoesNotContain(lines, line => line.Contains("other.db", StringComparison.Ordinal));

        scene.Clock.Advance(TimeSpan.FromDays(36));
        Assert.DoesNotContain(Lines(), line => line.Contains("app.db", StringComparison.Ordinal));
    }

    [Fact]
    public void Labels_are_escaped()
    {
        Record(Made with { Database = "C:\\data\\\"app\"\n.db" });

        Assert.Contains("shbackup_backups{database=\"C:\\\\data\\\\\\\"app\\\"\\n.db\"} 0", Lines());
    }

    [Fact]
    public void Without_any_history_the_catalogue_alone_says_when_the_last_backup_was()
    {
        Databases.Create(scene.Database);
        var full = scene.Create();
        var increment = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Verify = false });
        scene.Clock.Advance(TimeSpan.FromSeconds(10));

        var lines = Lines();

        Assert.Contains("backup_newest_age_seconds 10", lines);
        Assert.Contains("backup_oldest_age_seconds 11", lines);
        Assert.Contains("backup_total_count{backup_type=\"incremental\"} 1", lines);
        Assert.Contains($"backup_total_size_bytes {full.Size + increment.Size}", lines);
        var database = $"{{database=\"{scene.Database}\"}}";
        Assert.Contains("shbackup_unverified_backups" + database + " 1", lines);
        Assert.Contains($"shbackup_incremental_saved_bytes{database} {full.Size - increment.Size}", lines);
        Assert.Equal(increment.Timestamp.ToUnixTimeSeconds(), Value(lines, "shbackup_last_success_timestamp_seconds" + database), 0.001);
        Assert.False(File.Exists(scene.Stored(".shbackup/history.db")));
    }

    private static BackupEvent Made => new()
    {
        Operation = BackupOperation.Create,
        Timestamp = new DateTimeOffset(2026, 11, 22, 2, 0, 0, TimeSpan.Zero),
        Database = "/srv/app.db",
        BackupId = "backup_20261122_020000_123456",
        Type = BackupType.Full,
        Compression = CompressionType.Gzip,
        Bytes = 1000,
        Duration = TimeSpan.FromSeconds(2),
    };

    private void Record(params BackupEvent[] events) => new EventHistory(scene.Directory).Record(events, scene.Context());

    private string[] Lines(MetricOptions? options = null) =>
        Encoding.UTF8.GetString(MetricText.Of(scene.Directory, options ?? new MetricOptions(), scene.Context()))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string[] Counters() => [.. Lines().Where(line => line.Split('{')[0].EndsWith("_total", StringComparison.Ordinal) && !line.StartsWith('#'))];

    private static IEnumerable<string> Buckets(string[] lines, string beginning) => lines
        .Where(line => line.StartsWith(beginning, StringComparison.Ordinal))
        .Select(line => line[beginning.Length..].Trim('"').Replace("\"} ", "|", StringComparison.Ordinal));

    private static double Value(string[] lines, string name) => double.Parse(
        Assert.Single(lines, line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
}
