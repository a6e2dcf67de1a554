using System.Net;
using System.Net.Sockets;
using System.Text;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Metrics;

/// <summary>Start-SHBackupMetricServer answers scrapes, reports clearly if it cannot, and ends on request.</summary>
public class MetricServerTests
{
    private static readonly HttpClient Client = new();

    [Fact]
    public async Task Prometheus_scrapes_what_the_directory_says_at_that_moment()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        using var server = await RunningServer.StartAsync(workspace, "-ExpectedInterval 1d");
        File.WriteAllText(workspace["prometheus.yml"], $"""
            global: {"{"} scrape_interval: 1s {"}"}
            scrape_configs:
              - job_name: shbackup
                static_configs: [{"{"} targets: ['127.0.0.1:{server.Url.Port}'] {"}"}]
            """);

        using var prometheus = new MonitoringProgram(
            "prometheus", "--config.file=" + workspace["prometheus.yml"], "--storage.tsdb.path=" + workspace["tsdb"], "--web.listen-address=127.0.0.1:{port}");
        await prometheus.UntilAsync("/api/v1/query?query=up{job=\"shbackup\"}", answer => Value(answer) == "1");
        await prometheus.UntilAsync("/api/v1/query?query=sum(backup_runs_total)", answer => Value(answer) == "1");
        await prometheus.UntilAsync("/api/v1/query?query=shbackup_expected_interval_seconds", answer => Value(answer) == "86400");

        workspace.MakeBackup();
        await prometheus.UntilAsync("/api/v1/query?query=sum(backup_total_count)", answer => Value(answer) == "2");
        await prometheus.UntilAsync(
            "/api/v1/query?query=histogram_quantile(0.5,backup_duration_seconds_bucket)", answer => Value(answer) is { } value && value != "NaN");
    }

    [Fact]
    public async Task It_ends_with_its_port_free_when_it_is_stopped()
    {
        using var workspace = new Workspace();
        using var server = await RunningServer.StartAsync(workspace);
        Assert.Equal(HttpStatusCode.OK, (await Client.GetAsync(server.Url, TestContext.Current.CancellationToken)).StatusCode);

        await server.StopAsync();

        using var again = new TcpListener(IPAddress.Loopback, server.Url.Port);
        again.Start();
    }

    [Fact]
    public void A_port_that_is_taken_is_an_error_that_says_so()
    {
        using var workspace = new Workspace();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var record = Assert.Single(workspace.Run("Start-SHBackupMetricServer -Port $args[0]", port).Errors);

        Assert.StartsWith("MetricServerFailed,", record.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("another process listens there", record.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_is_sent_to_it_it_goes_on()
    {
        using var workspace = new Workspace();
        using var server = await RunningServer.StartAsync(workspace);

        Assert.StartsWith("HTTP/1.1 404", await SendAsync(server.Url, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 405", await SendAsync(server.Url, "DELETE /metrics HTTP/1.1\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", await SendAsync(server.Url, "nonsense\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400", await SendAsync(server.Url, new string('x', 20_000)), StringComparison.Ordinal);
        Assert.Equal(string.Empty, await SendAsync(server.Url, "GET /met"));
        var head = await SendAsync(server.Url, "HEAD /metrics HTTP/1.0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", head, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", head, StringComparison.Ordinal);

        // A silent client makes nobody else wait.
        using var idle = new TcpClient();
        await idle.ConnectAsync(IPAddress.Loopback, server.Url.Port, TestContext.Current.CancellationToken);
        Assert.Contains("backup_total_count", await Client.GetStringAsync(server.Url, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_the_directory_cannot_be_read_scrapes_get_503_and_one_warning_says_why()
    {
        using var workspace = new Workspace();
        Directory.Delete(workspace.Backups);
        using var server = await RunningServer.StartAsync(workspace);

        for (var scrape = 0; scrape < 3; scrape++)
        {
            using var answer = await Client.GetAsync(server.Url, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.StartsWith("DirectoryNotFound: ", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        Directory.CreateDirectory(workspace.Backups);
        Assert.Equal(HttpStatusCode.OK, (await Client.GetAsync(server.Url, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Single(await server.StopAsync());
    }

    [Fact]
    public async Task However_often_a_scrape_fails_the_next_one_is_answered()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        using (var history = Databases.Open(Path.Combine(workspace.Backups, ".shbackup", "history.db")))
        {
            Databases.Execute(history, "UPDATE event SET timestamp = 'yesterday'");
        }

        using var server = await RunningServer.StartAsync(workspace);
        for (var scrape = 0; scrape < 20; scrape++)
        {
            using var answer = await Client.GetAsync(server.Url, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        }
    }

    private static string? Value(string answer)
    {
        using var json = System.Text.Json.JsonDocument.Parse(answer);
        var results = json.RootElement.GetProperty("data").GetProperty("result");
        return results.GetArrayLength() == 0 ? null : results[0].GetProperty("value")[1].GetString();
    }

    /// <summary>Sends bytes unchanged, says that there will be no more, and reads the whole answer.</summary>
    private static async Task<string> SendAsync(Uri url, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, url.Port, TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        client.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        try
        {
            return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Closed with a part of the request unread.
            return string.Empty;
        }
    }
}
