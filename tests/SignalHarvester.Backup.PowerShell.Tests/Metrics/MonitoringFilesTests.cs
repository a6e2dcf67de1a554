using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Metrics;

/// <summary>Alert rules, dashboard and document name only existing metrics, and Prometheus' tools accept them.</summary>
public partial class MonitoringFilesTests
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(BuiltModule.PesterSpecs, "..", ".."));
    private static readonly string Folder = Path.Combine(Root, "deploy", "monitoring");

    [Fact]
    public void The_alert_rules_are_valid_and_pass_their_tests()
    {
        var promtool = Tool.Require("promtool");
        promtool.Run("check", "rules", "--lint-fatal", Path.Combine(Folder, "alerts.yaml")).EnsureSuccess();
        promtool.Run("test", "rules", Path.Combine(Folder, "alerts.test.yaml")).EnsureSuccess();
    }

    [Fact]
    public void Every_alert_has_a_test_in_which_it_fires()
    {
        var alerts = Alert().Matches(File.ReadAllText(Path.Combine(Folder, "alerts.yaml"))).Select(match => match.Groups[1].Value).ToList();
        var tests = File.ReadAllText(Path.Combine(Folder, "alerts.test.yaml"));
        Assert.NotEmpty(alerts);
        Assert.All(alerts, alert => Assert.Contains($"alertname: {alert}\n        exp_alerts:", tests, StringComparison.Ordinal));
        Assert.All(alerts, alert => Assert.Contains($"| `{alert}` |", File.ReadAllText(Path.Combine(Root, "docs", "METRICS.md")), StringComparison.Ordinal));
    }

    [Fact]
    public void The_queries_of_the_dashboard_are_valid()
    {
        using var folder = new TempFolder();
        var rules = new StringBuilder("groups:\n  - name: dashboard\n    rules:\n");
        foreach (var (query, number) in Queries().Select((query, number) => (query, number)))
        {
            rules.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"      - record: panel:{number}\n        expr: {JsonSerializer.Serialize(query.Replace("$job", "j", StringComparison.Ordinal).Replace("$instance", "i", StringComparison.Ordinal))}\n");
        }

        File.WriteAllText(folder["rules.yaml"], rules.ToString());
        Tool.Require("promtool").Run("check", "rules", folder["rules.yaml"]).EnsureSuccess();
    }

    [Fact]
    public void Dashboard_and_document_show_every_metric_and_the_alerts_no_other()
    {
        var known = Known();
        var queries = string.Join('\n', Queries());
        var document = File.ReadAllText(Path.Combine(Root, "docs", "METRICS.md"));
        Assert.All(known, name => Assert.Matches($@"\b{name}(_bucket|_sum|_count)?\b", queries));
        Assert.All(known, name => Assert.Contains($"| `{name}` | ", document, StringComparison.Ordinal));

        var alerts = File.ReadAllText(Path.Combine(Folder, "alerts.yaml"));
        Assert.All(MetricName().Matches(alerts + queries).Select(match => match.Value).Where(name => name != "backup_type").Distinct(), name => Assert.Contains(
            known,
            metric => name == metric || (name.StartsWith(metric + "_", StringComparison.Ordinal) && name[metric.Length..] is "_bucket" or "_sum" or "_count")));
    }

    private static IReadOnlyCollection<string> Known()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        return [.. new Exposition(workspace.Run("Export-SHBackupMetric").WithoutErrors().As<string>().Single()).Types.Keys];
    }

    private static IReadOnlyList<string> Queries()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "dashboard.json")));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!)];
    }

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"\b(?:sh)?backup_[a-z_]*[a-z](?=\{| |\)|$)", RegexOptions.Multiline)]
    private static partial Regex MetricName();
}
