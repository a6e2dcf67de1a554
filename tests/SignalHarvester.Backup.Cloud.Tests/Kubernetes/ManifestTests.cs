using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using k8s.Models;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Kubernetes;

/// <summary>The manifests are complete, safe, and consistent with their sources.</summary>
public sealed class ManifestTests
{
    public static TheoryData<string> Variants => [.. Deployment.Variants.Keys];

    [Theory]
    [MemberData(nameof(Variants))]
    public void The_plain_manifest_is_what_the_kustomization_renders(string variant)
    {
        var rendered = Tool.Require("kubectl").Run("kustomize", Deployment.Variants[variant]).EnsureSuccess();

        Assert.Equal(Lines(rendered.Output), Lines(File.ReadAllText(Deployment.ManifestPath(variant))));
    }

    [Fact]
    public void The_manifests_keep_to_the_schemas_of_Kubernetes()
    {
        var models = Path.Combine(TestAssets.Folder, "kubernetes-models-5.1.0");
        Assert.SkipUnless(Directory.Exists(models), "Kubernetes' schemas are not installed (tests/run.sh installs them by npm where it may)");
        Assert.SkipWhen(Tool.SkipReason("node") is not null, Tool.SkipReason("node") ?? string.Empty);
        const string Validate = """
            import fs from 'node:fs';
            import { parseAllDocuments } from 'yaml';
            for (const file of process.argv.slice(1)) {
                for (const text of parseAllDocuments(fs.readFileSync(file, 'utf8'))) {
                    const made = text.toJSON();
                    const models = await import('kubernetes-models/' + made.apiVersion);
                    try { new models[made.kind](made).validate(); } catch (wrong) { console.log(`${file}: ${made.kind} ${made.metadata.name}: ${wrong.message}`); }
                }
            }
            """;

        string[] files = [.. Deployment.Variants.Keys.Select(Deployment.ManifestPath), Path.Combine(Deployment.Folder, "secret.template.yaml")];
        // Node looks for packages from the current folder upwards.
        var run = Tool.Require("sh")
            .Run(["-ec", "cd \"$1\"; shift; exec node --input-type=module -e \"$@\"", "sh", models, Validate, .. files]).EnsureSuccess();

        Assert.Equal(string.Empty, run.Output);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Every_pod_gives_away_nothing(string variant)
    {
        var pods = Deployment.Pods(Deployment.Load(variant));
        Assert.NotEmpty(pods);
        foreach (var pod in pods.Values)
        {
            Assert.False(pod.AutomountServiceAccountToken);
            Assert.True(pod.SecurityContext.RunAsNonRoot);
            Assert.Equal((10001, 10001, 10001), (pod.SecurityContext.RunAsUser, pod.SecurityContext.RunAsGroup, pod.SecurityContext.FsGroup));
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.True(pod.HostNetwork is null && pod.HostPID is null && pod.HostIPC is null);
            Assert.All(pod.Volumes, volume => Assert.Null(volume.HostPath));
            foreach (var container in Deployment.Containers(pod))
            {
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.False(container.SecurityContext.Privileged);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
                Assert.Null(container.SecurityContext.Capabilities.Add);
                Assert.True(
                    container.Resources.Limits.ContainsKey("memory") && container.Resources.Requests.ContainsKey("memory")
                        && container.Resources.Requests.ContainsKey("cpu"));
                Assert.DoesNotMatch(":latest$|/[^:]*$", container.Image);
            }

            var ours = Deployment.Ours(pod);
            Assert.Equal("512Mi", ours.Resources.Limits["memory"].ToString());
            Assert.All((string[])["/tmp", "/home/shbackup"], path =>
                Assert.NotNull(pod.Volumes.Single(volume => volume.Name == ours.VolumeMounts.Single(mount => mount.MountPath == path).Name).EmptyDir));
            // Kubernetes would take $(...) in it for its own variable.
            Assert.DoesNotContain(ours.Command.Concat(ours.Args), text => text.Contains("$(", StringComparison.Ordinal));
            Assert.Equal(ours.Command, Deployment.Exec(Deployment.Image.Single(instruction => instruction.Name == "ENTRYPOINT").Text));
        }
    }

    [Theory]
    [InlineData("same-node")]
    [InlineData("s3")]
    public void Every_CronJob_ends_in_time_and_runs_alone_when_its_schedule_says(string variant)
    {
        var objects = Deployment.Load(variant);
        var jobs = objects.OfType<V1CronJob>().ToList();
        Assert.Equal(["shbackup-backup", "shbackup-drill", "shbackup-retention"], jobs.Select(job => job.Metadata.Name));
        foreach (var job in jobs)
        {
            Assert.Equal(("Etc/UTC", "Forbid"), (job.Spec.TimeZone, job.Spec.ConcurrencyPolicy));
            Assert.True(job.Spec.StartingDeadlineSeconds > 0 && job.Spec.SuccessfulJobsHistoryLimit > 0 && job.Spec.FailedJobsHistoryLimit > 0);
            Assert.True(job.Spec.JobTemplate.Spec.ActiveDeadlineSeconds > 0 && job.Spec.JobTemplate.Spec.BackoffLimit == 2);
            Assert.Equal("Never", job.Spec.JobTemplate.Spec.Template.Spec.RestartPolicy);
            Assert.Contains(
                job.Spec.JobTemplate.Spec.PodFailurePolicy.Rules, rule => rule.Action == "FailJob" && rule.OnExitCodes.Values.SequenceEqual([3, 64]));
            Assert.Equal("shbackup", job.Spec.JobTemplate.Spec.Template.Spec.ServiceAccountName);

            var name = job.Metadata.Name["shbackup-".Length..];
            Assert.Contains(
                $"Invoke-SHBackupSchedule -Name {name} -AsLog;", Deployment.Ours(job.Spec.JobTemplate.Spec.Template.Spec).Args[1], StringComparison.Ordinal);
            Assert.Equal(job.Spec.Schedule, Cron(Deployment.ConfigMap(objects, "shbackup-schedules")[$"shbackup-{name}.json"]));
        }

        Assert.False(objects.OfType<V1ServiceAccount>().Single().AutomountServiceAccountToken);
    }

    [Fact]
    public void Only_the_backup_sees_the_database_and_only_beside_the_application()
    {
        var pods = Deployment.Pods(Deployment.Load("s3"));
        var affinity = pods["shbackup-backup"].Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution.Single();
        Assert.Equal("kubernetes.io/hostname", affinity.TopologyKey);
        Assert.Equal("signal-harvester", affinity.LabelSelector.MatchLabels["app.kubernetes.io/name"]);
        Assert.Contains(pods["shbackup-backup"].Volumes, volume => volume.PersistentVolumeClaim?.ClaimName == "signal-harvester-data");

        foreach (var name in (string[])["shbackup-retention", "shbackup-drill"])
        {
            Assert.DoesNotContain(pods[name].Volumes, volume => volume.PersistentVolumeClaim?.ClaimName == "signal-harvester-data");
            Assert.Null(Deployment.Ours(pods[name]).EnvFrom);
        }
    }

    [Fact]
    public void The_network_policy_lets_nothing_out_but_names_and_HTTPS_where_there_is_a_store()
    {
        var closed = Deployment.Load("same-node").OfType<V1NetworkPolicy>().Single().Spec;
        Assert.Equal(["Ingress", "Egress"], closed.PolicyTypes);
        Assert.Empty(closed.Egress ?? []);
        Assert.Empty(closed.Ingress ?? []);

        var open = Deployment.Load("s3").OfType<V1NetworkPolicy>().Single().Spec;
        Assert.Empty(open.Ingress ?? []);
        Assert.Equal(["53", "53", "443"], open.Egress.SelectMany(rule => rule.Ports).Select(port => port.Port.Value));
        Assert.Contains(
            "169.254.169.254/32",
            open.Egress.SelectMany(rule => rule.To).Select(peer => peer.IpBlock).Where(block => block is not null).SelectMany(block => block.Except));
        Assert.All(Deployment.Pods(Deployment.Load("s3")).Keys, name => Assert.Equal(
            open.PodSelector.MatchLabels["app.kubernetes.io/name"],
            Deployment.Load("s3").OfType<V1CronJob>()
                .Single(job => job.Metadata.Name == name).Spec.JobTemplate.Spec.Template.Metadata.Labels["app.kubernetes.io/name"]));
    }

    [Fact]
    public void Continuous_protection_starts_before_the_application_and_ends_after_it_and_restores_before_that()
    {
        var pod = Deployment.Pods(Deployment.Load("continuous"))["signal-harvester"];
        var names = pod.InitContainers.Select(container => container.Name).ToList();
        Assert.True(names.IndexOf("shbackup-restore") >= 0 && names.IndexOf("shbackup-restore") < names.IndexOf("shbackup-live"));
        Assert.True(names.IndexOf("shbackup-restore") < names.IndexOf("shbackup"));
        Assert.Null(pod.InitContainers.Single(container => container.Name == "shbackup-restore").RestartPolicy);
        var live = pod.InitContainers.Single(container => container.Name == "shbackup-live");
        Assert.Equal("Always", live.RestartPolicy);
        Assert.NotNull(live.StartupProbe);
        Assert.NotNull(live.ReadinessProbe);
        Assert.True(pod.TerminationGracePeriodSeconds >= 90);
        Assert.All((string[])["shbackup-restore", "shbackup-live"], name => Assert.Equal(
            ["shbackup-cloud", "shbackup-cloud"],
            pod.InitContainers.Single(container => container.Name == name).EnvFrom.Select(source => source.SecretRef?.Name ?? source.ConfigMapRef.Name)));
        Assert.Contains("Start-SHBackupProtection /data/app.db", live.Args[1], StringComparison.Ordinal);
        Assert.DoesNotContain("TakeOver", live.Args[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_indexed_job_has_as_many_shares_as_completions()
    {
        var job = Deployment.Load("many-databases").OfType<V1Job>().Single().Spec;
        Assert.Equal("Indexed", job.CompletionMode);
        Assert.Equal(
            job.Completions!.Value.ToString(CultureInfo.InvariantCulture),
            Deployment.Ours(job.Template.Spec).Env.Single(variable => variable.Name == "SHARES").Value);
        Assert.Equal(job.Completions, job.MaxFailedIndexes);
        Assert.True(Deployment.Ours(job.Template.Spec).VolumeMounts.Single(mount => mount.Name == "databases").ReadOnlyProperty);
    }

    [Fact]
    public void No_secret_lies_in_the_folder()
    {
        var template = (V1Secret)Deployment.Parse(File.ReadAllText(Path.Combine(Deployment.Folder, "secret.template.yaml"))).Single();
        Assert.Null(template.Data);
        Assert.All(template.StringData, entry => Assert.Equal($"${{{entry.Key}}}", entry.Value));
        Assert.Empty(Deployment.Variants.Keys.SelectMany(Deployment.Load).OfType<V1Secret>());
        Assert.Equal(
            template.Metadata.Name,
            Deployment.Ours(Deployment.Pods(Deployment.Load("s3"))["shbackup-backup"]).EnvFrom.Single(source => source.SecretRef is not null).SecretRef.Name);
    }

    [Fact]
    public void The_image_is_small_and_its_user_is_the_pods()
    {
        var froms = Deployment.Image.Where(instruction => instruction.Name == "FROM").Select(instruction => instruction.Text).ToList();
        Assert.Equal(2, froms.Count);
        Assert.Matches(@"^mcr\.microsoft\.com/dotnet/sdk:10\.0-\S+ AS build$", froms[0]);
        Assert.Matches(@"^mcr\.microsoft\.com/dotnet/runtime:10\.0-\S+-chiseled$", froms[1]);
        Assert.Equal("10001:10001", Deployment.Image.Single(instruction => instruction.Name == "USER").Text);
        // Nothing runs in the last stage, which has no shell.
        var names = Deployment.Image.Select(instruction => instruction.Name).ToList();
        Assert.True(names.LastIndexOf("RUN") < names.LastIndexOf("FROM"));
        Assert.Equal("--from=build /opt/shbackup /opt/shbackup", Deployment.Image.Last(instruction => instruction.Name == "COPY").Text);
        Assert.Equal(["/opt/shbackup/shbackup"], Deployment.HealthCheck.Take(1));
        Assert.True(names.LastIndexOf("ENTRYPOINT") > names.LastIndexOf("USER"));
    }

    private static string Cron(string definition)
    {
        var trigger = JsonDocument.Parse(definition).RootElement.GetProperty("trigger");
        var at = TimeSpan.Parse(trigger.GetProperty("at").GetString()!, CultureInfo.InvariantCulture);
        var day = trigger.TryGetProperty("day", out var given) ? given.ToString() : "*";
        return string.Create(CultureInfo.InvariantCulture, $"{at.Minutes} {at.Hours} {day} * *");
    }

    private static string[] Lines(string text) => Regex.Split(text.TrimEnd(), "\r?\n");
}
