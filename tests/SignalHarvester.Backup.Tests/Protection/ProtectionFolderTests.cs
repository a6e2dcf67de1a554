using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Health;
using SignalHarvester.Backup.Metrics;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>
/// What others see of a protection, and how they ask it to stop, if the owner of the backup directory has put strange things there, or the
/// process says nothing any more.
/// </summary>
public sealed partial class ProtectionFolderTests : IDisposable
{
    private const string Precious = "precious";
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(20);

    private readonly Scene scene = new();

    private string State => scene.Stored(".shbackup");

    private string Protections => scene.Directory.Layout.ProtectionFolder;

    private string Own => FolderOf(scene.Database);

    private string Victim => scene["victim"];

    private DateTimeOffset Now => scene.Clock.GetUtcNow();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void A_protection_that_was_killed_lags_since_its_last_look_and_one_that_was_stopped_does_not()
    {
        foreach (var (state, lag) in ((ProtectionState, int)[])[(ProtectionState.Following, 90), (ProtectionState.Stopped, 0)])
        {
            Leave(new() { Database = scene.Database, State = state, LastLook = Now.AddSeconds(-90) });
            Assert.Equal(TimeSpan.FromSeconds(lag), Assert.Single(ProtectionHost.Find(scene.Directory)).Lag);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_link_in_place_of_the_request_to_stop_is_refused_and_nothing_happens_where_it_leads(bool exists)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights there");
        using var running = Running(new() { Database = scene.Database, State = ProtectionState.Following, LastLook = Now });
        if (exists)
        {
            File.WriteAllText(Victim, Precious);
        }

        File.CreateSymbolicLink(Path.Combine(Own, "stop"), Victim);

        var error = Assert.Throws<BackupException>(() => ProtectionHost.Stop(scene.Directory, scene.Database, TimeSpan.Zero, scene.Context()));
        Assert.Equal((BackupErrorId.SidecarHostile, Path.Combine(Own, "stop")), (error.ErrorId, (string)error.Target!));
        Assert.Equal(
            BackupErrorId.SidecarHostile,
            Assert.Throws<BackupException>(() => ProtectionHost.RequestStop(scene.Directory, scene.Database)).ErrorId);
        Assert.Equal(exists ? Precious : null, File.Exists(Victim) ? File.ReadAllText(Victim) : null);
        Assert.False(new ProtectionFolder(scene.Directory, scene.Database).IsStopRequested);
    }

    [Fact]
    public void A_file_that_has_the_name_of_the_request_is_a_request_and_is_not_emptied()
    {
        using var running = Running(new() { Database = scene.Database, State = ProtectionState.Following, LastLook = Now });
        var folder = new ProtectionFolder(scene.Directory, scene.Database);
        Assert.False(folder.IsStopRequested);
        ProtectionHost.RequestStop(scene.Directory, scene.Database);
        Assert.True(folder.IsStopRequested);

        // Another name of a file that has a place elsewhere.
        File.WriteAllText(Path.Combine(Own, "stop"), Precious);
        ProtectionHost.RequestStop(scene.Directory, scene.Database);
        Assert.Equal(Precious, File.ReadAllText(Path.Combine(Own, "stop")));
    }

    [Theory]
    [InlineData("status.json", "pipe", BackupErrorId.SidecarHostile)]
    [InlineData("status.json", "link", BackupErrorId.SidecarHostile)]
    [InlineData("status.json", "folder", BackupErrorId.DirectoryUnreadable)]
    [InlineData("status.json", "large", BackupErrorId.DirectoryUnreadable)]
    [InlineData("running", "pipe", BackupErrorId.SidecarHostile)]
    [InlineData("running", "link", BackupErrorId.SidecarHostile)]
    [InlineData("running", "folder", BackupErrorId.DirectoryUnreadable)]
    public async Task Something_strange_in_place_of_a_file_is_an_error_that_hides_no_other_protection(string name, string what, string id)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights there, and there are no such pipes");
        var other = scene["other.db"];
        Leave(new() { Database = other, State = ProtectionState.Stopped });
        Leave(new() { Database = scene.Database, State = ProtectionState.Following, LastLook = Now });
        Replace(Path.Combine(Own, name), what);

        var faults = new List<BackupException>();
        Assert.Equal(other, Assert.Single(await SoonAsync(() => ProtectionHost.Find(scene.Directory, faults.Add))).Database);
        var fault = Assert.Single(faults);
        Assert.Equal(id, fault.ErrorId);
        Assert.Contains(Own, (string)fault.Target!, StringComparison.Ordinal);
        Assert.Equal(id, (await Assert.ThrowsAsync<BackupException>(() => SoonAsync(() => ProtectionHost.Find(scene.Directory)))).ErrorId);

        // Missing metrics are noticed; a protection that is missing among them would not be.
        Assert.Equal(id, (await Assert.ThrowsAsync<BackupException>(() => SoonAsync(() => Metrics()))).ErrorId);
        faults.Clear();
        Assert.DoesNotContain((await SoonAsync(() => Health(faults.Add))).Checks, check => check.Check == "Protection");
        Assert.Equal(id, Assert.Single(faults).ErrorId);
        if (name == "running")
        {
            Assert.Equal(id, Assert.Throws<BackupException>(() => ProtectionHost.RequestStop(scene.Directory, scene.Database)).ErrorId);
            Assert.Equal(id, Assert.Throws<BackupException>(new ProtectionFolder(scene.Directory, scene.Database).RefuseRunning).ErrorId);
        }
    }

    [Theory]
    [InlineData(".shbackup")]
    [InlineData("protection")]
    [InlineData("key")]
    public void A_folder_that_is_a_link_is_refused_and_nothing_is_made_where_it_leads(string which)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights there");
        using (Running(new() { Database = scene.Database, State = ProtectionState.Following, LastLook = Now }))
        {
            var folder = which switch
            {
                "key" => Own,
                "protection" => Protections,
                _ => State,
            };
            Directory.Move(folder, Victim);
            Directory.CreateSymbolicLink(folder, Victim);
            var before = Content();

            Assert.Equal(
                [BackupErrorId.SidecarHostile, BackupErrorId.SidecarHostile, BackupErrorId.SidecarHostile],
                new Action[]
                {
                    () => ProtectionHost.Find(scene.Directory),
                    () => ProtectionHost.RequestStop(scene.Directory, scene.Database),
                    () => ProtectionHost.Stop(scene.Directory, scene.Database, TimeSpan.Zero, scene.Context()),
                }.Select(action => Assert.Throws<BackupException>(action).ErrorId));
            Assert.Equal(before, Content());
        }

        string[] Content() => [.. Directory.GetFiles(Victim, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public void What_is_no_status_of_the_database_is_none()
    {
        Leave(new() { Database = scene.Database, State = ProtectionState.Following });
        foreach (var text in (string[])
        [
            string.Empty, "{", "null", "[]", """{"state":"Following"}""", """{"database":null,"state":"Following"}""",
            """{"database":"/another.db","state":"Following"}""", Json("99"), Json("0"),
        ])
        {
            File.WriteAllText(Path.Combine(Own, "status.json"), text);
            Assert.Empty(ProtectionHost.Find(scene.Directory));
        }

        File.WriteAllText(Path.Combine(Own, "status.json"), Json("\"Stopped\""));
        _ = Directory.CreateDirectory(Path.Combine(Protections, "lost+found"));
        Assert.Single(ProtectionHost.Find(scene.Directory));

        string Json(string state) => $$"""{"database":{{JsonSerializer.Serialize(scene.Database)}},"state":{{state}}}""";
    }

    [Theory]
    [InlineData("status.json")]
    [InlineData("status.json.partial")]
    [InlineData("place")]
    [InlineData("place.partial")]
    public void A_link_in_place_of_a_file_that_is_written_is_replaced_and_not_followed(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights there");
        var folder = new ProtectionFolder(scene.Directory, scene.Database);
        using var held = folder.Lock();
        File.WriteAllText(Victim, Precious);
        File.CreateSymbolicLink(Path.Combine(Own, name), Victim);

        var status = new BackupProtection { Database = scene.Database, State = ProtectionState.Following, LastLook = Now };
        folder.Show(status);
        folder.Save(Place, [1, 2, 3]);
        Assert.Equal(status, folder.Status());
        Assert.Equal(Place, folder.Load(out _));
        Assert.Equal(Precious, File.ReadAllText(Victim));
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("link")]
    public async Task A_place_that_is_no_file_is_an_error_and_not_waited_for(string what)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need rights there, and there are no such pipes");
        var folder = new ProtectionFolder(scene.Directory, scene.Database);
        using var held = folder.Lock();
        folder.Save(Place, []);
        Replace(Path.Combine(Own, "place"), what);
        Assert.Equal(BackupErrorId.SidecarHostile, (await Assert.ThrowsAsync<BackupException>(() => SoonAsync(() => folder.Load(out _)))).ErrorId);
    }

    [Fact]
    public void A_place_that_is_larger_than_any_segment_is_a_damaged_one()
    {
        var folder = new ProtectionFolder(scene.Directory, scene.Database);
        using var held = folder.Lock();
        folder.Save(Place, []);
        using (var file = File.OpenWrite(Path.Combine(Own, "place")))
        {
            file.SetLength(1L << 40);
        }

        Assert.Null(folder.Load(out _));
    }

    [Theory]
    [InlineData(ProtectionState.Following, 31)]
    [InlineData(ProtectionState.Following, -31)]
    [InlineData(ProtectionState.StoreUnavailable, 31)]
    [InlineData(ProtectionState.Waiting, 31)]
    [InlineData(ProtectionState.Following, 3600)]
    public void A_process_that_has_not_been_heard_for_long_is_waited_for_and_behind(ProtectionState state, int seconds)
    {
        var age = TimeSpan.FromSeconds(seconds);
        var status = new BackupProtection
        {
            Database = scene.Database,
            State = state,
            LastLook = Now - age,
            RestorableTo = Now - age,
            ProcessId = 4711,
            Problem = state == ProtectionState.Following ? null : "Before.",
        };
        using var running = Running(status);

        var found = Assert.Single(ProtectionHost.Find(scene.Directory));
        Assert.Equal((ProtectionState.Waiting, age.Duration()), (found.State, found.Lag));
        Assert.Contains("from process 4711 since " + (Now - age).ToString("u", CultureInfo.InvariantCulture), found.Problem, StringComparison.Ordinal);
        Assert.Equal(status.Problem is not null, found.Problem!.EndsWith("Its last problem: Before.", StringComparison.Ordinal));
        var metrics = Metrics();
        Assert.Contains(metrics, line => line.EndsWith("state=\"waiting\"} 1", StringComparison.Ordinal));
        Assert.Contains(metrics, line => line.EndsWith("state=\"following\"} 0", StringComparison.Ordinal));
        var lag = metrics.Single(line => line.StartsWith("shbackup_stream_lag_seconds{", StringComparison.Ordinal));
        Assert.Equal(age.Duration().TotalSeconds, double.Parse(lag.Split(' ')[^1], CultureInfo.InvariantCulture), 0.001);

        var check = Health().Checks.Single(check => check.Check == "Protection");
        Assert.Equal(HealthStatus.Critical, check.Status);
        Assert.Contains("process 4711", check.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backup_counts_as_the_newest_moment_if_nobody_has_heard_of_the_stream()
    {
        _ = Databases.Create(scene.Database);
        _ = scene.Verify(scene.Create());
        scene.Clock.Advance(TimeSpan.FromDays(3));
        var status = new BackupProtection { Database = scene.Database, State = ProtectionState.Following, LastLook = Now, RestorableTo = Now };
        using var running = Running(status);
        Assert.Equal(HealthStatus.Ok, Point().Status);

        scene.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.NotEqual(HealthStatus.Ok, Point().Status);
        Assert.DoesNotContain("transactions since are stored", Point().Reason, StringComparison.Ordinal);

        HealthCheck Point() => Health().Checks.Single(check => check.Check == "RecoveryPoint");
    }

    [Fact]
    public void A_backup_between_transactions_is_tested_later_and_any_other_that_is_newer_than_the_last_tested_one_is_a_finding()
    {
        _ = Databases.Create(scene.Database);
        _ = scene.Verify(scene.Create());
        var between = scene.Create(new CreateBackupOptions { Verify = false });
        var position = new StreamPosition(DatabaseKey.Of(scene.Database), "stream", 1, 1, 1, Now, "mark");
        Assert.True(scene.Directory.TryUpdate(
            between, current => current with { Metadata = position.ToEntries() }, schemaChecksum: null, CancellationToken.None));
        using var running = Running(new() { Database = scene.Database, State = ProtectionState.Following, LastLook = Now, RestorableTo = Now });
        Assert.Equal(HealthStatus.Ok, Point().Status);

        var other = scene.Create(new CreateBackupOptions { Verify = false });
        Assert.Equal(HealthStatus.Warning, Point().Status);
        Assert.Contains($"'{other.Id}'", Point().Reason, StringComparison.Ordinal);
        Assert.Equal($"Test-SHBackup {other.Id} -BackupDirectory {HealthScope.Quote(scene.Directory.Path)}", Point().Command);
        _ = scene.Verify(other);
        Assert.Equal(HealthStatus.Ok, Point().Status);

        HealthCheck Point() => Health().Checks.Single(check => check.Check == "RecoveryPoint");
    }

    [Theory]
    [InlineData(ProtectionState.Following)]
    [InlineData(ProtectionState.StoreUnavailable)]
    [InlineData(ProtectionState.Stopped)]
    public void What_an_audit_has_found_is_critical_whatever_became_of_the_protection(ProtectionState state)
    {
        _ = Databases.Create(scene.Database);
        using var running = Running(new() { Database = scene.Database, State = state, LastLook = Now, AuditFindings = 1 });
        var check = Health().Checks.Single(check => check.Check == "Protection");
        Assert.Equal(HealthStatus.Critical, check.Status);
        Assert.Contains("-Operation StreamAudit", check.Command, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_value_of_a_status_is_a_metric_and_what_was_measured_is_told_by_health()
    {
        _ = Databases.Create(scene.Database);
        var status = new BackupProtection
        {
            Database = scene.Database,
            State = ProtectionState.Following,
            Lag = TimeSpan.FromSeconds(1.5),
            LastLook = Now.AddMilliseconds(-250),
            LastStored = Now.AddSeconds(-7),
            Transaction = 1234,
            StoredTransaction = 1230,
            RestorableFrom = Now.AddDays(-1),
            RestorableTo = Now.AddSeconds(-2),
            LogBytes = 4152,
            Segments = 77,
            SegmentBytes = 88_888,
            Gaps = 2,
            LastAudit = Now.AddHours(-3),
            AuditFindings = 3,
            MissingSegments = 5,
            DelayMedian = TimeSpan.FromMilliseconds(80),
            DelayP99 = TimeSpan.FromMilliseconds(450),
            DelayWorst = TimeSpan.FromSeconds(2.5),
        };
        string[] states = ["starting", "following", "waiting", "storeunavailable", "fenced", "stopped", "ended"];
        using var running = Running(status);
        Assert.Equal(
            new[]
            {
                "lag_seconds 1.5", $"last_look_timestamp_seconds {Unix(status.LastLook)}", $"last_stored_timestamp_seconds {Unix(status.LastStored)}",
                "log_bytes 4152", "fenced 0", "delay_seconds,0.5 0.08", "delay_seconds,0.99 0.45", "delay_seconds,1 2.5", "transactions_total 1234",
                "stored_transactions_total 1230", "segments_total 77", "bytes_total 88888", "gaps_total 2",
                $"last_audit_timestamp_seconds {Unix(status.LastAudit)}", "audit_findings_total 3", "missing_segments 5",
            }.Concat(states.Select(state => $"state,{state} {(state == "following" ? 1 : 0)}")).Order(StringComparer.Ordinal),
            StreamMetrics());
        Assert.EndsWith(
            " can be restored, but for those inside gaps. From commit to storage: 80 ms for half of them, 450 ms for 99 of 100, 2.5 s at most (last day). "
            + "2 gaps since its start: there a backup took the place of transactions that may have been missed.",
            Health().Checks.Single(check => check.Check == "Protection").Reason,
            StringComparison.Ordinal);

        Leave(new() { Database = scene.Database, State = ProtectionState.Fenced, LastLook = Now });
        Assert.Contains("fenced 1", StreamMetrics());
        Assert.Contains("state,fenced 1", StreamMetrics());
        Assert.DoesNotContain(StreamMetrics(), line => line.StartsWith("delay_seconds", StringComparison.Ordinal));

        static string Unix(DateTimeOffset? moment) =>
            ((moment!.Value - DateTimeOffset.UnixEpoch).TotalMilliseconds / 1000).ToString(CultureInfo.InvariantCulture);

        // Name, second label and value of each, without the database, which is always the same one.
        string[] StreamMetrics() =>
        [
            .. Metrics().Where(line => line.StartsWith("shbackup_stream_", StringComparison.Ordinal)).Select(line => Sample().Match(line))
                .Select(match => match.Groups["name"].Value + (match.Groups["label"] is { Success: true } label ? "," + label.Value : string.Empty)
                    + " " + match.Groups["value"].Value)
                .Order(StringComparer.Ordinal),
        ];
    }

    [Theory]
    [InlineData(30, ProtectionState.Starting)]
    [InlineData(31, ProtectionState.Waiting)]
    public void One_that_has_not_looked_yet_is_judged_by_the_time_of_its_status(int seconds, ProtectionState expected)
    {
        using var running = Running(new() { Database = scene.Database, State = ProtectionState.Starting });
        File.SetLastWriteTimeUtc(Path.Combine(Own, "status.json"), Now.UtcDateTime.AddSeconds(-seconds));
        Assert.Equal(expected, Assert.Single(ProtectionHost.Find(scene.Directory)).State);
    }

    [Fact]
    public void One_that_says_itself_why_it_does_not_look_is_believed()
    {
        using var running = Running(new() { Database = scene.Database, State = ProtectionState.Waiting, LastLook = Now.AddMinutes(-2), Problem = "Gone." });
        File.SetLastWriteTimeUtc(Path.Combine(Own, "status.json"), Now.UtcDateTime);
        var found = Assert.Single(ProtectionHost.Find(scene.Directory));
        Assert.Equal((ProtectionState.Waiting, "Gone.", TimeSpan.FromMinutes(2)), (found.State, found.Problem, found.Lag));
    }

    [Fact]
    public void One_that_was_heard_lately_is_shown_as_it_says_and_one_that_has_ended_too()
    {
        var status = new BackupProtection { Database = scene.Database, State = ProtectionState.Following, LastLook = Now.AddSeconds(-30) };
        using (Running(status))
        {
            Assert.Equal(status, Assert.Single(ProtectionHost.Find(scene.Directory)));
        }

        scene.Clock.Advance(TimeSpan.FromDays(1));
        var blind = TimeSpan.FromDays(1) + TimeSpan.FromSeconds(30);
        Assert.Equal(status with { State = ProtectionState.Ended, Lag = blind }, Assert.Single(ProtectionHost.Find(scene.Directory)));
        foreach (var state in (ProtectionState[])[ProtectionState.Stopped, ProtectionState.Fenced])
        {
            Leave(status with { State = state });
            Assert.Equal(status with { State = state }, Assert.Single(ProtectionHost.Find(scene.Directory)));
        }
    }

    [Fact]
    public void Somebody_else_who_looks_at_the_same_moment_is_not_taken_for_the_process()
    {
        Leave(new() { Database = scene.Database, State = ProtectionState.Following, LastLook = Now });
        using var another = File.OpenHandle(Path.Combine(Own, "running"), FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        Assert.Equal(ProtectionState.Ended, Assert.Single(ProtectionHost.Find(scene.Directory)).State);
    }

    private SavedPlace Place => new()
    {
        Database = scene.Database,
        Store = "file:///store/",
        Stream = "stream",
        Timeline = 1,
        Number = 1,
        Transaction = 1,
        Time = Now,
        Digest = 1,
    };

    [GeneratedRegex("""^shbackup_stream_(?<name>\w+)\{database=".*app\.db"(,\w+="(?<label>[^"]+)")?\} (?<value>\S+)$""")]
    private static partial Regex Sample();

    private static async Task<T> SoonAsync<T>(Func<T> action) => await Task.Run(action).WaitAsync(Hang, TestContext.Current.CancellationToken);

    private string FolderOf(string database) => Path.Combine(Protections, DatabaseKey.Of(database));

    /// <summary>Leaves a status, as a process that has ended.</summary>
    private void Leave(BackupProtection status)
    {
        var folder = Directory.CreateDirectory(FolderOf(status.Database)).FullName;
        var path = Path.Combine(folder, "status.json");
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(status, ProtectionJson.Default.BackupProtection));
        File.SetLastWriteTimeUtc(path, (status.LastLook ?? Now).UtcDateTime);
    }

    /// <summary>Leaves a status, as a process that has not ended as long as the result is open.</summary>
    private FileStream Running(BackupProtection status)
    {
        Leave(status);
        return new FileStream(Path.Combine(FolderOf(status.Database), "running"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
    }

    private void Replace(string path, string what)
    {
        if (!File.Exists(path))
        {
            File.WriteAllText(path, string.Empty);
        }

        switch (what)
        {
            case "pipe":
                File.Delete(path);
                Tool.Require("mkfifo").Run(path).EnsureSuccess();
                break;
            case "link":
                File.Move(path, Victim);
                File.CreateSymbolicLink(path, Victim);
                break;
            case "folder":
                File.Delete(path);
                _ = Directory.CreateDirectory(path);
                break;
            default:
                File.AppendAllText(path, new string(' ', 1 << 20));
                break;
        }
    }

    private string[] Metrics() =>
        Encoding.UTF8.GetString(MetricText.Of(scene.Directory, new MetricOptions(), scene.Context())).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private BackupHealth Health(Action<BackupException>? fault = null)
    {
        var settings = new BackupSettings
        {
            Databases = [new DatabaseSettings(scene.Database, scene.Directory.Path)],
        };
        return HealthReport.Of(scene.Directory, settings, [], fault ?? (one => throw one), scene.Context()).Databases.Single();
    }
}
