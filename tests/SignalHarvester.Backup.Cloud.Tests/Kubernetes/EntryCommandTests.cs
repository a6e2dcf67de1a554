using System.Globalization;
using k8s.Models;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage.S3;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Kubernetes;

/// <summary>The commands of the manifests do their work, run as the pods would run them, on real databases.</summary>
public sealed class EntryCommandTests : IDisposable
{
    private const string Application = "10001";
    private const string Bucket = "my-backups";

    private readonly ImageFolder image;
    private readonly CephServer ceph;
    private readonly TempFolder node;
    private Uri? endpoint;

    public EntryCommandTests(ImageFolder image, CephServer ceph)
    {
        PodRun.SkipWhereNone();
        this.image = image;
        this.ceph = ceph;
        node = new TempFolder(plain: true);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Data => node["data"];

    private string Backups => node["backups"];

    [Fact]
    public async Task Backup_retention_and_drill_work_beside_the_application_that_writes()
    {
        var objects = Deployment.Load("same-node");
        using var application = StartApplication();

        foreach (var name in (string[])["shbackup-backup", "shbackup-retention", "shbackup-drill"])
        {
            using var pod = Pod(objects, name);
            var run = await pod.RunAsync();
            Assert.True(run.ExitCode == 0 && run.Error.Length == 0, $"{name}: {run.ExitCode} {run.Output}{run.Error}");
            Assert.Contains(" step=run result=succeeded ", run.Output, StringComparison.Ordinal);
        }

        using var host = new CloudProcess(
            node.Path, new Dictionary<string, string>(),
            "Get-SHBackup -BackupDirectory ./backups/app -Verified | ForEach-Object Checksum; Get-SHBackupHistory -BackupDirectory ./backups/app | ForEach-Object Operation");
        var told = (await host.SucceedAsync(Stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(ImageHash.Of(CopyOfDatabase()), told[0]);
        Assert.Contains("Drill", told);
        Assert.Contains("Schedule", told);
    }

    [Fact]
    public async Task A_person_restores_in_the_console_under_the_running_application()
    {
        using var application = StartApplication();
        var rows = Databases.Scalar(application, "SELECT count(*) FROM customer");
        var objects = Deployment.Load("same-node");
        using (var pod = Pod(objects, "shbackup-backup"))
        {
            (await pod.RunAsync()).EnsureSuccess();
        }

        Databases.Execute(application, "DELETE FROM attachment; DELETE FROM customer");
        objects = [.. objects.Where(made => made is not V1CronJob), .. Deployment.Load("console")];
        using var console = Pod(objects, "shbackup-console");
        var told = (await console.RunAsync(
            ["-Command", "Get-SHBackup -Newest 1 | Restore-SHBackup -Force; (Get-SHBackupHealth).Checks | ForEach-Object { \"$($_.Check): $($_.Status)\" }"]))
            .EnsureSuccess();

        Assert.Contains("Schedule: Ok", told.Output, StringComparison.Ordinal);
        Assert.Equal(rows, Databases.Scalar(application, "SELECT count(*) FROM customer"));
    }

    [Fact]
    public async Task The_container_is_as_bare_as_the_manifest_says_and_its_settings_are_good()
    {
        var objects = Deployment.Load("same-node");
        using var application = StartApplication();
        using var pod = Pod(objects, "shbackup-backup");

        var run = await pod.RunAsync(["-Command", """
            [IO.File]::ReadAllLines('/proc/self/status') -match '^(Uid|CapEff|CapBnd|NoNewPrivs):'
            foreach ($path in '/x', '/opt/shbackup/x', '/etc/shbackup/x', '/config/shbackup/schedules/x') { try { [IO.File]::WriteAllText($path, ''); "wrote $path" } catch { "$($_.Exception.InnerException.Message)" } }
            "settings are good: $(Test-SHBackupConfiguration -Quiet)"
            """]);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"Uid:\t{Application}\t{Application}\t{Application}\t{Application}", run.Output, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000000", run.Output, StringComparison.Ordinal);
        Assert.Contains("CapBnd:\t0000000000000000", run.Output, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", run.Output, StringComparison.Ordinal);
        Assert.Equal(4, run.Output.Split("Read-only file system").Length - 1);
        Assert.Contains("settings are good: True", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_cannot_be_made_ends_with_1_and_the_health_check_tells_a_broken_setting()
    {
        var objects = Deployment.Load("same-node");
        Directory.CreateDirectory(Data);
        using var pod = Pod(objects, "shbackup-backup");
        Assert.Equal(1, (await pod.RunAsync()).ExitCode);

        var check = Deployment.HealthCheck;
        Assert.Equal(0, (await pod.RunAsync(check.Skip(1))).ExitCode);
        pod.Variables["SHBACKUP_COMPRESSION"] = "zip";
        Assert.Equal(1, (await pod.RunAsync(check.Skip(1))).ExitCode);
    }

    [Fact]
    public async Task The_sidecar_runs_what_is_due_and_ends_on_SIGTERM()
    {
        var objects = Deployment.Load("sidecar");
        using var application = StartApplication();
        using var pod = Pod(objects, "signal-harvester");
        using var sidecar = pod.Start(Deployment.Ours(Deployment.Pods(objects)["signal-harvester"]).Args);
        var error = sidecar.StandardError.ReadToEndAsync(Stop);
        var succeeded = 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        try
        {
            while (succeeded < 3 && await sidecar.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                succeeded += line.Contains(" step=run result=succeeded ", StringComparison.Ordinal) ? 1 : 0;
            }

            Tool.Require("kill").Run("-TERM", sidecar.Id.ToString(CultureInfo.InvariantCulture)).EnsureSuccess();
            await sidecar.WaitForExitAsync(Stop);
        }
        finally
        {
            if (!sidecar.HasExited)
            {
                sidecar.Kill();
            }
        }

        Assert.Equal((143, 3, string.Empty), (sidecar.ExitCode, succeeded, await error));
    }

    [Fact]
    public async Task The_backup_goes_into_the_bucket_with_the_keys_of_the_secret_and_comes_back_from_there_alone()
    {
        var objects = Deployment.Load("s3");
        using var store = await OpenBucketAsync("signal-harvester/");
        string content;
        using (StartApplication())
        {
            content = ImageHash.Of(CopyOfDatabase());
        }

        using var pod = Pod(objects, "shbackup-backup");
        GiveCloud(pod);

        var run = await pod.RunAsync();

        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.DoesNotContain(ceph.SecretKey, run.Output + run.Error, StringComparison.Ordinal);
        Assert.Equal(
            Directory.GetFiles(Path.Combine(Backups, "app"), "backup_*").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal),
            (await StoreActions.ListAsync(store)).Select(found => found.Name).Order(StringComparer.Ordinal));

        foreach (var volume in (string[])[Data, Backups])
        {
            Directory.Delete(volume, recursive: true);
            Directory.CreateDirectory(volume);
        }

        objects = [.. objects.Where(made => made is not V1CronJob), .. Deployment.Load("console")];
        using var console = Pod(objects, "shbackup-console");
        GiveCloud(console);
        (await console.RunAsync(["-Command", "Get-SHBackup -Remote -Newest 1 | Restore-SHBackup -Force"])).EnsureSuccess();
        Assert.Equal(content, ImageHash.Of(Path.Combine(Data, "app.db")));
    }

    [Fact]
    public async Task The_continuous_containers_bring_the_database_back_and_probe_truly_beside_the_schedules()
    {
        var objects = Deployment.Load("continuous");
        using var store = await OpenBucketAsync("continuous/");
        using PodRun restore = Pod(objects, "signal-harvester", "shbackup-restore"), live = Pod(objects, "signal-harvester", "shbackup-live"),
            schedules = Pod(objects, "signal-harvester");
        foreach (var container in (PodRun[])[restore, live, schedules])
        {
            GiveCloud(container);
            container.Variables["SHBACKUP_S3_PREFIX"] = "continuous/";
        }

        var parts = Deployment.Ours(Deployment.Pods(objects)["signal-harvester"], "shbackup-live");
        Directory.CreateDirectory(Data);
        Assert.Contains("There is no backup yet.", (await restore.RunAsync()).EnsureSuccess().Output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Data, "app.db")));
        Assert.Equal(0, await ProbeAsync(parts.StartupProbe));

        using (var application = StartApplication())
        {
            Assert.Equal((1, 1), (await ProbeAsync(parts.StartupProbe), await ProbeAsync(parts.ReadinessProbe)));
            using var protection = live.Start(parts.Args);
            protection.StandardInput.Close();
            var said = Task.WhenAll(protection.StandardOutput.ReadToEndAsync(Stop), protection.StandardError.ReadToEndAsync(Stop));
            try
            {
                var until = DateTime.UtcNow.AddMinutes(1);
                while (await ProbeAsync(parts.StartupProbe) != 0)
                {
                    Assert.True(!protection.HasExited && DateTime.UtcNow < until, "not followed");
                }

                Assert.Equal(0, await ProbeAsync(parts.ReadinessProbe));
                var backup = await schedules.RunAsync(["-Command", "Invoke-SHBackupSchedule -Name backup -AsLog"]);
                Assert.True(backup.ExitCode == 0, backup.Output + backup.Error);
                Databases.Execute(application, "CREATE TABLE last_words AS SELECT 'good night' AS text");
                Tool.Require("kill").Run("-TERM", protection.Id.ToString(CultureInfo.InvariantCulture)).EnsureSuccess();
                await protection.WaitForExitAsync(Stop);
            }
            finally
            {
                if (!protection.HasExited)
                {
                    protection.Kill();
                }
            }

            Assert.True(protection.ExitCode == 143, string.Concat(await said));
            Assert.Equal(1, await ProbeAsync(parts.StartupProbe));
        }

        foreach (var volume in (string[])[Data, Backups])
        {
            Directory.Delete(volume, recursive: true);
            Directory.CreateDirectory(volume);
        }

        (await restore.RunAsync()).EnsureSuccess();
        using (var restored = Databases.Open(Path.Combine(Data, "app.db")))
        {
            Assert.Equal("good night", Databases.Scalar(restored, "SELECT text FROM last_words"));
        }

        Assert.Empty((await restore.RunAsync()).EnsureSuccess().Output);

        async Task<int> ProbeAsync(V1Probe probe) => (await live.RunAsync(probe.Exec.Command.Skip(1))).ExitCode;
    }

    [Fact]
    public async Task The_shares_of_the_indexed_job_are_all_databases_each_once_in_one_bucket()
    {
        const int Shares = 2;
        // The account, the ConfigMap of the bucket and the network policy are those of s3.
        IReadOnlyList<object> objects = [.. Deployment.Load("s3").Where(made => made is not V1CronJob), .. Deployment.Load("many-databases")];
        using var store = await OpenBucketAsync("many/");
        string[] tenants = ["acme/app", "acme/queue", "beta/app", "gamma/old/app", "zeta"];
        foreach (var tenant in tenants)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(node["tenants", tenant])!);
            Databases.Create(node["tenants", tenant + ".db"], new DatabaseShape { Rows = 20 });
        }

        var taken = new List<string>();
        for (var index = 0; index < Shares; index++)
        {
            using var pod = new PodRun(
                image, objects, Deployment.Pods(objects)["shbackup-many-databases"], new Dictionary<string, string> { ["tenant-databases"] = node["tenants"] });
            GiveCloud(pod);
            pod.Variables["SHBACKUP_S3_PREFIX"] = "many/";
            pod.Variables["SHARES"] = Shares.ToString(CultureInfo.InvariantCulture);
            pod.Variables["JOB_COMPLETION_INDEX"] = index.ToString(CultureInfo.InvariantCulture);
            var run = await pod.RunAsync();
            Assert.True(run.ExitCode == 0, run.Output + run.Error);
            var there = (await StoreActions.ListAsync(store))
                .Where(found => found.Name.EndsWith(".json", StringComparison.Ordinal))
                .Select(found => Path.GetDirectoryName(found.Name)!)
                .ToList();
            // Every second one, beginning with the first, third and fifth.
            Assert.Equal(index == 0 ? 3 : 5, there.Count);
            taken = there;
        }

        Assert.Equal(tenants, taken.Order(StringComparer.Ordinal));
    }

    public void Dispose() => node.Dispose();

    /// <summary>Starts the application: it has its database open, with commits that are only in its log.</summary>
    private Microsoft.Data.Sqlite.SqliteConnection StartApplication()
    {
        Directory.CreateDirectory(Data);
        var connection = Databases.CreateWithLiveWal(Path.Combine(Data, "app.db"), new DatabaseShape { Rows = 500 });
        Tool.Require("chown").Run("-R", $"{Application}:{Application}", Data).EnsureSuccess();
        return connection;
    }

    private string CopyOfDatabase()
    {
        var copy = Directory.CreateDirectory(node["copy"]).FullName;
        foreach (var ending in (string[])["", "-wal"])
        {
            // Not by this process: if it closed a file of a database that it has open, SQLite's locks would be dropped.
            Tool.Require("cp").Run(Path.Combine(Data, "app.db" + ending), copy).EnsureSuccess();
        }

        return Path.Combine(copy, "app.db");
    }

    private PodRun Pod(IReadOnlyList<object> objects, string name, string container = "shbackup")
    {
        var claims = new Dictionary<string, string>
        {
            ["signal-harvester-data"] = Data,
            ["data"] = Data,
            ["shbackup-backups"] = Directory.CreateDirectory(Backups).FullName,
        };
        return new(image, objects, Deployment.Pods(objects)[name], claims, container);
    }

    private void GiveCloud(PodRun pod)
    {
        pod.Secrets["shbackup-cloud"] = new() { ["AWS_ACCESS_KEY_ID"] = ceph.AccessKey, ["AWS_SECRET_ACCESS_KEY"] = ceph.SecretKey };
        pod.Variables["SHBACKUP_S3_ENDPOINT"] = endpoint!.ToString();
        pod.Variables["SHBACKUP_S3_PATH_STYLE"] = "true";
        pod.Variables["SHBACKUP_S3_REGION"] = "default";
    }

    private async Task<S3Store> OpenBucketAsync(string prefix)
    {
        endpoint = await ceph.AddressAsync();
        var store = new S3Store((await ceph.NewLocationAsync()) with { Container = Bucket, Prefix = prefix }, new());
        await store.RequireContainerAsync(create: true, Stop);
        return store;
    }
}
