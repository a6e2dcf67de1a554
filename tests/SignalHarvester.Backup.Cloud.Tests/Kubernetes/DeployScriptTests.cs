using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Kubernetes;

/// <summary>deploy.ps1, run by the host, with a stand-in for kubectl that writes down its input.</summary>
public sealed class DeployScriptTests : IDisposable
{
    private const string AccessKey = "AKIAEXAMPLEOFATEST";
    private const string SecretKey = "s3cr3t/of+a=test";

    private readonly TempFolder folder = new(plain: true);
    private readonly Dictionary<string, string> environment = new()
    {
        ["FAKE_JOB"] = "SuccessCriteriaMet=True Complete=True ",
        ["FAKE_OBJECTS"] = "serviceaccount/shbackup\nconfigmap/shbackup-settings\npersistentvolumeclaim/shbackup-backups\ncronjob.batch/shbackup-backup",
    };

    public DeployScriptTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in for kubectl is a script of sh");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Kubernetes", "kubectl.sh"), Path.Combine(folder.Folder("bin"), "kubectl"));
        Tool.Require("chmod").Run("0755", folder["bin", "kubectl"]).EnsureSuccess();
        File.Copy(Deployment.ManifestPath("s3"), Path.Combine(folder.Folder("cluster"), "manifest.yaml"));
        environment["FAKE_CLUSTER"] = folder["cluster"];
        environment["PATH"] = folder["bin"] + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
    }

    [Fact]
    public async Task It_sets_the_secret_applies_the_overlay_and_waits_for_a_first_run_without_a_trace_of_the_key()
    {
        File.WriteAllText(folder["keys.env"], $"# keys\n\nAWS_ACCESS_KEY_ID={AccessKey}\nAWS_SECRET_ACCESS_KEY={SecretKey}\n");

        var run = await DeployAsync($"-Overlay s3 -Context here -Image example.org/mine:2 -SecretFile '{folder["keys.env"]}' -Verbose");

        Assert.True(run.ExitCode == 0 && !run.Error.Contains("WARNING", StringComparison.Ordinal), run.Output + run.Error);
        Assert.Contains("shbackup-first-", run.Output, StringComparison.Ordinal);
        var calls = Calls();
        Assert.All(calls, call => Assert.StartsWith("--namespace apps --context here ", call.Arguments, StringComparison.Ordinal));
        Assert.Equal(
            ["kustomize", "get -f - name", "get -f - json", "get secret", "apply --server-side", "apply --dry-run", "apply -f -", "create job", "get job"],
            calls.Select(call => Verb(call.Arguments)));
        var secret = JsonDocument.Parse(calls.Single(call => call.Arguments.Contains("--server-side", StringComparison.Ordinal)).Input!).RootElement;
        Assert.Equal("shbackup-cloud", secret.GetProperty("metadata").GetProperty("name").GetString());
        Assert.Equal(SecretKey, Encoding.UTF8.GetString(secret.GetProperty("data").GetProperty("AWS_SECRET_ACCESS_KEY").GetBytesFromBase64()));
        var applied = calls.Single(call => Verb(call.Arguments) == "apply -f -").Input!;
        Assert.Equal(3, applied.Split("image: example.org/mine:2\n").Length - 1);
        Assert.DoesNotContain("registry.example.org/shbackup", applied, StringComparison.Ordinal);
        AssertNoTrace(run, calls);
    }

    [Fact]
    public async Task WhatIf_asks_the_cluster_nothing_and_names_no_value()
    {
        environment["AWS_SECRET_ACCESS_KEY"] = SecretKey;

        var run = await DeployAsync("-Overlay s3 -SecretFromEnvironment -WhatIf");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("set the Secret 'shbackup-cloud' (AWS_SECRET_ACCESS_KEY)", run.Output + run.Error, StringComparison.Ordinal);
        Assert.Equal(["kustomize"], Calls().Select(call => Verb(call.Arguments)));
        AssertNoTrace(run, Calls());
    }

    [Theory]
    [InlineData("job", "FailureTarget=True Failed=True ", "what the pod said")]
    [InlineData("time", "", "did not end within 1 s")]
    [InlineData("apply", "", "Error from server (Forbidden)")]
    public async Task What_was_there_is_put_back_when_it_fails_and_what_is_new_goes_but_for_the_volume(string fault, string job, string said)
    {
        // The settings and the secret existed; the account, the CronJob and the volume are new.
        environment["FAKE_FAULT"] = fault;
        environment["FAKE_JOB"] = job;
        environment["AWS_ACCESS_KEY_ID"] = AccessKey;
        environment["AWS_SECRET_ACCESS_KEY"] = SecretKey;
        File.WriteAllText(folder["cluster", "names"], "configmap/shbackup-settings\n");
        File.WriteAllText(
            folder["cluster", "objects.json"],
            """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"shbackup-settings","uid":"1","resourceVersion":"7","managedFields":[]},"data":{"settings.yaml":"former"}}""");
        File.WriteAllText(
            folder["cluster", "secret.json"],
            """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"shbackup-cloud","uid":"2"},"data":{"AWS_ACCESS_KEY_ID":"Zm9ybWVy"}}""");

        var run = await DeployAsync("-Overlay s3 -SecretFromEnvironment -TimeoutSeconds 1");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(said, Unwrapped(run.Output + run.Error), StringComparison.Ordinal);
        var calls = Calls();
        var replaced = calls.Where(call => Verb(call.Arguments) == "replace")
            .Select(call => JsonDocument.Parse(call.Input!).RootElement.GetProperty("items").EnumerateArray().Single()).ToList();
        Assert.Equal(["shbackup-settings", "shbackup-cloud"], replaced.Select(item => item.GetProperty("metadata").GetProperty("name").GetString()));
        Assert.Equal(["name"], replaced[0].GetProperty("metadata").EnumerateObject().Select(field => field.Name));
        Assert.Equal("former", replaced[0].GetProperty("data").GetProperty("settings.yaml").GetString());
        Assert.Equal("--namespace apps delete --ignore-not-found serviceaccount/shbackup cronjob.batch/shbackup-backup", calls[^1].Arguments);
        AssertNoTrace(run, calls);
    }

    [Fact]
    public async Task An_image_that_nothing_would_run_is_told()
    {
        File.WriteAllText(
            folder["cluster", "manifest.yaml"],
            File.ReadAllText(Deployment.ManifestPath("s3")).Replace("registry.example.org", "example.net", StringComparison.Ordinal));

        var run = await DeployAsync("-Overlay s3 -Image example.org/mine:2");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("has no image registry.example.org/shbackup", Unwrapped(run.Error), StringComparison.Ordinal);
        Assert.Equal(["kustomize"], Calls().Select(call => Verb(call.Arguments)));
    }

    [Fact]
    public async Task With_a_sidecar_it_waits_for_the_rollout()
    {
        environment["FAKE_OBJECTS"] = "configmap/shbackup-settings\nstatefulset.apps/signal-harvester";

        var run = await DeployAsync("-Overlay sidecar -TimeoutSeconds 60");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal("--namespace apps rollout status statefulset.apps/signal-harvester --timeout=60s", Calls()[^1].Arguments);
    }

    [Fact]
    public async Task The_commands_of_the_document_do_what_it_says()
    {
        Directory.CreateSymbolicLink(folder["deploy"], Path.Combine(Deployment.Root, "deploy"));
        File.WriteAllText(folder["keys.env"], $"AWS_ACCESS_KEY_ID={AccessKey}\nAWS_SECRET_ACCESS_KEY={SecretKey}\n");
        environment["AWS_ACCESS_KEY_ID"] = AccessKey;
        using var process = new CloudProcess(folder.Path, environment, string.Join('\n', Blocks("powershell")));

        var run = await process.EndAsync(TestContext.Current.CancellationToken);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(2, run.Output.Split("FirstRun  : shbackup-first-").Length - 1);
        Assert.Equal(2, Calls().Count(call => Verb(call.Arguments.Replace("signal-harvester", "apps", StringComparison.Ordinal)) == "apply --server-side"));
    }

    [Fact]
    public void Kubectl_takes_the_commands_of_the_document_as_far_as_the_missing_cluster()
    {
        _ = Tool.Require("kubectl");
        var commands = Blocks("sh").SelectMany(block => block.Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.True(commands.Count >= 8, string.Join('\n', commands));
        foreach (var command in commands)
        {
            // Nobody listens on port 9.
            var run = Tool.Require("sh").Run("-c", $"kubectl() {{ command kubectl --server=http://127.0.0.1:9 \"$@\"; }}; cd '{Deployment.Root}'; {command}");
            Assert.Contains("refused", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_line_of_the_file_that_is_no_value_is_told_by_its_number_alone()
    {
        File.WriteAllText(folder["keys.env"], $"AWS_ACCESS_KEY_ID={AccessKey}\n{SecretKey.Replace('=', '-')}\n");

        var run = await DeployAsync($"-SecretFile '{folder["keys.env"]}'");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("Line 2 of", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", run.Output + run.Error, StringComparison.Ordinal);
        Assert.Equal(["kustomize"], Calls().Select(call => Verb(call.Arguments)));
    }

    public void Dispose() => folder.Dispose();

    private static List<string> Blocks(string language) =>
        [
            .. Regex.Matches(File.ReadAllText(Path.Combine(Deployment.Root, "docs", "KUBERNETES.md")), $@"(?s)```{language}\r?\n(.*?)```")
                .Select(match => match.Groups[1].Value),
        ];

    /// <summary>Returns an error without the line breaks that PowerShell adds.</summary>
    private static string Unwrapped(string error) => Regex.Replace(error, @"\n +\| ", " ");

    private static string Verb(string arguments)
    {
        var text = Regex.Replace(arguments, "^--namespace apps (--context here )?", string.Empty);
        return text switch
        {
            _ when text.StartsWith("get -f - --ignore-not-found -o ", StringComparison.Ordinal) => "get -f - " + text.Split(' ')[^1],
            _ when text.StartsWith("apply ", StringComparison.Ordinal) =>
                string.Join(' ', text.Split('=')[0].Split(' ').Take(text.StartsWith("apply -f", StringComparison.Ordinal) ? 3 : 2)),
            _ when Regex.IsMatch(text, "^(get|create) ") => string.Join(' ', text.Split(' ').Take(2)),
            _ => text.Split(' ')[0],
        };
    }

    private static void AssertNoTrace(ToolResult run, IEnumerable<(string Arguments, string? Input)> calls)
    {
        var seen = run.Output + run.Error + string.Join('\n', calls.Select(call => call.Arguments));
        Assert.All((string[])[AccessKey, SecretKey], key =>
        {
            Assert.DoesNotContain(key, seen, StringComparison.Ordinal);
            Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(key)), seen, StringComparison.Ordinal);
        });
    }

    /// <summary>Deploys through the host, as somebody without pwsh would.</summary>
    private async Task<ToolResult> DeployAsync(string parameters)
    {
        using var process = new CloudProcess(folder.Path, environment, $"& '{Path.Combine(Deployment.Folder, "deploy.ps1")}' apps {parameters}");
        return await process.EndAsync(TestContext.Current.CancellationToken);
    }

    private List<(string Arguments, string? Input)> Calls() =>
    [
        .. Directory.GetFiles(folder["cluster"], "*.args").Order(StringComparer.Ordinal).Select(file => (
            string.Join(' ', File.ReadAllLines(file)),
            File.Exists(Path.ChangeExtension(file, ".stdin")) ? File.ReadAllText(Path.ChangeExtension(file, ".stdin")) : null)),
    ];
}
