using System.Net;
using System.Net.Sockets;
using System.Text;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Metrics;

/// <summary>Export-SHBackupMetric exports the predecessor's metrics, in a form that Prometheus' own tools accept.</summary>
public class ExportMetricTests
{
    private const string Durations = "1 5 10 30 60 120 300 600 1800 +Inf";

    // The predecessor's: name, kind, labels, buckets. Dashboards rely on every letter of them.
    private static readonly (string Name, string Kind, string[] Labels, string? Buckets)[] Predecessors =
    [
        ("backup_runs_total", "counter", ["backup_type", "status"], null),
        ("backup_duration_seconds", "histogram", ["backup_type"], Durations),
        ("backup_size_bytes", "histogram", ["backup_type", "compression"], "1048576 10485760 104857600 524288000 1073741824 5368709120 10737418240 +Inf"),
        ("backup_errors_total", "counter", ["backup_type", "error_type"], null),
        ("backup_uploads_total", "counter", ["provider", "status"], null),
        ("backup_upload_duration_seconds", "histogram", ["provider"], Durations),
        ("backup_verifications_total", "counter", ["status"], null),
        ("backup_restores_total", "counter", ["status"], null),
        ("backup_retention_pruned_total", "counter", ["retention_policy"], null),
        ("backup_oldest_age_seconds", "gauge", [], null),
        ("backup_newest_age_seconds", "gauge", [], null),
        ("backup_total_count", "gauge", ["backup_type"], null),
        ("backup_total_size_bytes", "gauge", [], null),
    ];

    [Fact]
    public void The_predecessors_metrics_have_their_names_kinds_labels_and_buckets()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup("-Upload -Provider Directory -Container ./offsite -CreateContainer");

        var metrics = Export(workspace);

        Assert.All(Predecessors, expected =>
        {
            Assert.Equal(expected.Kind, metrics.Types.GetValueOrDefault(expected.Name));
            var samples = metrics.Samples.Keys.Where(sample => BaseName(sample) == expected.Name).ToList();
            Assert.NotEmpty(samples);
            Assert.All(samples, sample => Assert.Equal(expected.Labels, Labels(sample).Keys.Where(label => label != "le")));
            if (expected.Buckets is { } buckets)
            {
                Assert.Equal(
                    buckets, string.Join(' ', samples.Select(sample => Labels(sample).GetValueOrDefault("le")).Where(bound => bound is not null).Distinct()));
            }
        });
        Assert.DoesNotContain(
            metrics.Types.Keys, name => !name.StartsWith("backup_", StringComparison.Ordinal) && !name.StartsWith("shbackup_", StringComparison.Ordinal));
    }

    [Fact]
    public void Counters_go_on_and_gauges_fall_when_backups_go()
    {
        using var workspace = new Workspace();
        var first = workspace.MakeBackup();
        var second = workspace.MakeBackup("-NoVerify");
        workspace.Run("New-SHBackup ./missing.db; Get-SHBackup | Test-SHBackup -Level Quick | Out-Null");

        var before = Export(workspace);
        Assert.Equal(2, before["""backup_runs_total{backup_type="full",status="success"}"""]);
        Assert.Equal(1, before["""backup_runs_total{backup_type="full",status="failed"}"""]);
        Assert.Equal(1, before["""backup_errors_total{backup_type="full",error_type="creation"}"""]);
        Assert.Equal(3, before["""backup_verifications_total{status="success"}"""]);
        Assert.Equal(2, before["""backup_total_count{backup_type="full"}"""]);
        Assert.Equal(first.Size + second.Size, before["backup_total_size_bytes"]);

        workspace.Run("Get-SHBackup | Remove-SHBackup -Force").WithoutErrors();

        var after = Export(workspace);
        Assert.Equal(2, after["""backup_runs_total{backup_type="full",status="success"}"""]);
        Assert.Equal(0, after["""backup_total_count{backup_type="full"}"""]);
        Assert.Equal(0, after["backup_total_size_bytes"]);
        Assert.DoesNotContain("backup_newest_age_seconds", after.Samples.Keys);
        Assert.Equal(0, after[$$"""shbackup_backups{database="{{workspace.Database}}"}"""]);
    }

    [Theory]
    [InlineData("with events and labels")]
    [InlineData("without anything")]
    public void Promtool_finds_nothing_but_the_predecessors_one_name(string state)
    {
        using var workspace = new Workspace();
        var parameters = string.Empty;
        if (state == "with events and labels")
        {
            workspace.MakeBackup("-Upload -Provider Directory -Container ./offsite -CreateContainer");
            workspace.Run("New-SHBackup './odd \"name\".db' -Type Auto; Invoke-SHBackupRetention | Out-Null");
            parameters = " -ExpectedInterval 1d -Label @{ directory = \"a \\ 'b' \"\"c\"\" 漢\" }";
        }

        workspace.Run("Export-SHBackupMetric -Path ./shbackup.prom" + parameters).WithoutErrors();

        var text = File.ReadAllText(workspace["shbackup.prom"]);
        Assert.DoesNotContain('\r', text);
        var said = Tool.Require("promtool").RunWithInput(text, "check", "metrics");
        Assert.Equal("backup_total_count non-histogram and non-summary metrics should not have \"_count\" suffix", (said.Error + said.Output).Trim());
    }

    [Fact]
    public void The_file_is_replaced_whole_and_can_be_read_by_all()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Run("Export-SHBackupMetric -Path ./shbackup.prom").WithoutErrors();
        File.WriteAllText(workspace["shbackup.prom"], "old");

        var result = workspace.Run("Export-SHBackupMetric -Path ./shbackup.prom -PassThru").WithoutErrors();

        Assert.Equal(result.As<string>().Single(), File.ReadAllText(workspace["shbackup.prom"]));
        Assert.Equal(["shbackup.prom"], Directory.GetFiles(workspace.Folder, "*.prom*").Select(file => Path.GetFileName(file)));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
                File.GetUnixFileMode(workspace["shbackup.prom"]));
        }

        workspace.Run("Export-SHBackupMetric -Path ./other.prom -WhatIf").WithoutErrors();
        Assert.False(File.Exists(workspace["other.prom"]));
    }

    [Fact]
    public void Exports_at_once_leave_one_whole_file()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Parallel.For(0, 4, _ =>
        {
            using var session = PowerShellSession.Start();
            session.Invoke(
                "$from, $to = $args; 1..5 | ForEach-Object { Export-SHBackupMetric -BackupDirectory $from -Path $to }", [], workspace.Backups,
                workspace["x.prom"])
                .WithoutErrors();
        });

        Assert.Equal(Export(workspace).Samples.Count, new Exposition(File.ReadAllText(workspace["x.prom"])).Samples.Count);
        Assert.Equal(["x.prom"], Directory.GetFiles(workspace.Folder, "x.*").Select(file => Path.GetFileName(file)));
    }

    [Fact]
    public async Task Node_exporter_takes_the_file()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var folder = Directory.CreateDirectory(workspace["textfile"]).FullName;
        workspace.Run("Export-SHBackupMetric -Path ./textfile/shbackup.prom").WithoutErrors();

        using var exporter = new MonitoringProgram(
            "prometheus-node-exporter", "--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults", "--collector.textfile",
            "--collector.textfile.directory=" + folder);
        var metrics = await exporter.UntilAsync("/metrics", answer => answer.Contains("node_textfile_scrape_error 0", StringComparison.Ordinal));

        Assert.Contains("backup_runs_total{backup_type=\"full\",status=\"success\"} 1", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pushgateway_takes_them_and_a_later_push_replaces_them()
    {
        using var workspace = new Workspace();
        using var gateway = new MonitoringProgram("prometheus-pushgateway", "--web.listen-address=127.0.0.1:{port}");
        await gateway.UntilAsync("/-/ready", _ => true);
        workspace.MakeBackup();

        workspace.Run("Export-SHBackupMetric -PushGateway $args[0] -Job 'night/ly' -Instance 'größe 1'", gateway.Url).WithoutErrors();
        await gateway.UntilAsync("/metrics", answer =>
            answer.Contains("backup_runs_total{backup_type=\"full\",instance=\"größe 1\",job=\"night/ly\",status=\"success\"} 1", StringComparison.Ordinal));

        workspace.Run("Get-SHBackup | Remove-SHBackup -Force").WithoutErrors();
        workspace.Run("Export-SHBackupMetric -PushGateway \"$($args[0])/\" -Job night/ly -Instance 'größe 1'", gateway.Url).WithoutErrors();

        var metrics = await gateway.UntilAsync("/metrics", _ => true);
        Assert.Contains("backup_total_count{backup_type=\"full\",instance=\"größe 1\",job=\"night/ly\"} 0", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("\nbackup_newest_age_seconds{", metrics, StringComparison.Ordinal);

        workspace.Run("Export-SHBackupMetric -PushGateway $args[0]", gateway.Url).WithoutErrors();
        await gateway.UntilAsync(
            "/metrics", answer => answer.Contains($"instance=\"{Environment.MachineName}\",job=\"signal_harvester_backup\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_pushgateway_refuses_is_an_error_with_its_words_and_without_the_password()
    {
        using var workspace = new Workspace();
        using var gateway = new MonitoringProgram("prometheus-pushgateway", "--web.listen-address=127.0.0.1:{port}");
        await gateway.UntilAsync("/-/ready", _ => true);

        var record = Assert.Single(workspace.Run("Export-SHBackupMetric -PushGateway $args[0]", $"http://me:geheim@127.0.0.1:{gateway.Port}/nowhere").Errors);

        Assert.StartsWith("MetricPushFailed,", record.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("404", record.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", record.Exception.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("303 See Other\r\nLocation: /page", "metrics are not sent there")]
    [InlineData("500 Broken\u001b[31m", "500 Broken [31m: not \u2028now")]
    public async Task What_answers_but_takes_nothing_is_an_error_on_one_line(string status, string said)
    {
        using var workspace = new Workspace();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var answering = AnswerAsync(
            listener, ended.Token, $"HTTP/1.1 {status}\r\nContent-Length: 8\r\nConnection: close\r\n\r\nnot\r\nnow",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        var record = Assert.Single(workspace.Run("Export-SHBackupMetric -PushGateway $args[0]", $"http://{listener.LocalEndpoint}/").Errors);

        Assert.StartsWith("MetricPushFailed,", record.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(said.Replace("\u2028", " ", StringComparison.Ordinal), record.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(record.Exception.Message, char.IsControl);
        await ended.CancelAsync();
        await answering;
    }

    [Fact]
    public void A_pipe_is_not_replaced_and_a_link_stays_one()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        Tool.Require("mkfifo").Run(workspace["pipe"]).EnsureSuccess();
        File.CreateSymbolicLink(workspace["link.prom"], workspace["real.prom"]);

        var record = Assert.Single(workspace.Run("Export-SHBackupMetric -Path ./pipe").Errors);
        Assert.StartsWith("DestinationInvalid,", record.FullyQualifiedErrorId, StringComparison.Ordinal);

        File.WriteAllText(workspace["real.prom"], "old");
        workspace.Run("Export-SHBackupMetric -Path ./link.prom").WithoutErrors();
        Assert.Equal(workspace["real.prom"], new FileInfo(workspace["link.prom"]).LinkTarget);
        Assert.Contains("backup_total_count", File.ReadAllText(workspace["real.prom"]), StringComparison.Ordinal);
    }

    /// <summary>Answers one connection after another, each with the next of the texts, until it is stopped.</summary>
    private static async Task AnswerAsync(TcpListener listener, CancellationToken ended, params string[] answers)
    {
        try
        {
            foreach (var answer in answers)
            {
                using var client = await listener.AcceptTcpClientAsync(ended);
                var stream = client.GetStream();
                var buffer = new byte[1 << 16];
                var head = string.Empty;
                while (!head.Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    head += Encoding.Latin1.GetString(buffer, 0, await stream.ReadAsync(buffer, ended));
                }

                await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), ended);
                client.Client.Shutdown(SocketShutdown.Send);
                while (await stream.ReadAsync(buffer, ended) > 0)
                {
                    // Reads the rest of the body, so that closing does not reset the connection.
                }
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // Nobody came for the rest.
        }
    }

    [Fact]
    public void A_history_that_cannot_be_read_exports_nothing_rather_than_zeros()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Run("Export-SHBackupMetric -Path ./shbackup.prom").WithoutErrors();
        var exported = File.ReadAllText(workspace["shbackup.prom"]);
        var history = Path.Combine(workspace.Backups, ".shbackup", "history.db");
        File.Delete(history);
        Directory.CreateDirectory(history);

        var record = Assert.Single(workspace.Run("Export-SHBackupMetric -Path ./shbackup.prom").Errors);

        Assert.StartsWith("HistoryUnreadable,", record.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(exported, File.ReadAllText(workspace["shbackup.prom"]));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("__name")]
    [InlineData("a b")]
    [InlineData("1a")]
    public void A_label_that_Prometheus_would_not_take_is_refused_by_name(string name)
    {
        using var workspace = new Workspace();
        var record = Assert.Single(workspace.Run("Export-SHBackupMetric -Label @{ $args[0] = 'x' }", name).Errors);
        Assert.StartsWith("InvalidArgument,", record.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(name, record.TargetObject);
    }

    private static Exposition Export(Workspace workspace) => new(workspace.Run("Export-SHBackupMetric").WithoutErrors().As<string>().Single());

    private static string BaseName(string sample)
    {
        var name = sample.Split('{')[0];
        return Predecessors.Where(
            known => known.Kind == "histogram" && (name == known.Name + "_bucket" || name == known.Name + "_sum" || name == known.Name + "_count"))
            .Select(known => known.Name)
            .FirstOrDefault(name);
    }

    private static Dictionary<string, string> Labels(string sample) => sample.Contains('{', StringComparison.Ordinal)
        ? sample[(sample.IndexOf('{', StringComparison.Ordinal) + 1)..^1].Split("\",")
            .Select(pair => pair.Split("=\""))
            .ToDictionary(pair => pair[0], pair => pair[1].TrimEnd('"'))
        : [];
}
