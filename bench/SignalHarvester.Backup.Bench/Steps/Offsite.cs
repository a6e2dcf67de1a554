using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using static SignalHarvester.Backup.Bench.Machines.Command;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>A backup of 300 MiB to an S3 gateway on this machine and back, beside rclone.</summary>
internal sealed class Offsite(Workspace workspace, Module module) : Step, IDisposable
{
    private const int Mebibytes = 300;
    private const string Key = "benchbenchbenchbench";

    private readonly Dictionary<string, int> buckets = [];
    private Process? server;
    private int port;

    public override string Name => "offsite";

    public override string Title => "A backup of 300 MiB to Ceph's S3 gateway on loopback, and back";

    private string Backups => workspace["backups"];

    private string Fetched => workspace["fetched"];

    private string? Missing(params string[] tools) => Tools.Missing([.. tools, "setsid", "bash", "ceph-mon", "ceph-osd", "radosgw"]) ?? module.Missing;

    private Dictionary<string, string> Credentials => new()
    {
        ["AWS_ACCESS_KEY_ID"] = Key,
        ["AWS_SECRET_ACCESS_KEY"] = Key,
        ["AWS_EC2_METADATA_DISABLED"] = "true",

        // A machine may have its own file of certificates, and rclone insists on it even for http.
        ["AWS_CA_BUNDLE"] = string.Empty,
        ["RCLONE_CONFIG"] = Path.Combine(workspace.Scratch, "no-config"),
        ["RCLONE_CONFIG_CEPH_TYPE"] = "s3",
        ["RCLONE_CONFIG_CEPH_PROVIDER"] = "Ceph",
        ["RCLONE_CONFIG_CEPH_ENV_AUTH"] = "true",
        ["RCLONE_CONFIG_CEPH_ENDPOINT"] = $"http://127.0.0.1:{port}",
    };

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Upload("rclone copy, up", Missing("rclone"), bucket => Shell($"rclone copy {Quote(File)} ceph:{bucket}"), isBaseline: true);
        yield return Upload("Send-SHBackup", Missing(), bucket => module.Send(Backups, Place(bucket)));
        yield return Download(
            "rclone copy, down", Missing("rclone"), bucket => Shell($"rclone copy ceph:{bucket} {Quote(Fetched)}; sync {Quote(Fetched)}/*"), "rclone copy, up");
        yield return Download("Receive-SHBackup", Missing(), bucket => module.Receive(Place(bucket), Fetched), "Send-SHBackup");
    }

    public override IEnumerable<Line> Judge(StepResult result) =>
    [
        // 0.8 of the throughput is 1.25 of the time.
        .. Line.Of("upload, whole process / rclone", result["Send-SHBackup"]?.Wall?.Median / result["rclone copy, up"]?.Wall?.Median, 1.25, "x"),
        .. Line.Of("upload, cmdlet / rclone", result["Send-SHBackup"]?.Inside?.Median / result["rclone copy, up"]?.Wall?.Median, 1.25, "x"),
        .. Line.Of("download, whole process / rclone", result["Receive-SHBackup"]?.Wall?.Median / result["rclone copy, down"]?.Wall?.Median, 1.25, "x"),
        .. Line.Of("download, cmdlet / rclone", result["Receive-SHBackup"]?.Inside?.Median / result["rclone copy, down"]?.Wall?.Median, 1.25, "x"),
        .. Line.Of("upload, peak memory", result["Send-SHBackup"]?.PeakMemory?.Median / 1e6, 200, "MB"),
        .. Line.Of("download, peak memory", result["Receive-SHBackup"]?.PeakMemory?.Median / 1e6, 200, "MB"),
    ];

    public void Dispose()
    {
        if (server is not null)
        {
            server.StandardInput.Close();
            server.WaitForExit();
            server.Dispose();
        }
    }

    private string File => Directory.GetFiles(Backups, "*_full.db").Single();

    private string Place(string bucket) => $"-Provider S3 -Bucket {bucket} -Endpoint http://127.0.0.1:{port} -PathStyle -Region default";

    private Contestant Upload(string name, string? missing, Func<string, Command> upload, bool isBaseline = false) => new()
    {
        Name = name,
        IsBaseline = isBaseline,
        Missing = missing,
        Inputs = [Backups],
        Prepare = () =>
        {
            EnsureBackup();
            EnsureServer();
            buckets[name] = buckets.GetValueOrDefault(name) + 1;
        },
        Run = () => (upload(BucketOf(name)) with { Variables = Credentials }).Run(),
    };

    private Contestant Download(string name, string? missing, Func<string, Command> download, string uploadedBy) => new()
    {
        Name = name,
        Missing = missing,
        Outputs = [Fetched],
        Prepare = () => Directory.CreateDirectory(Fetched),
        Run = () => (download(BucketOf(uploadedBy)) with { Variables = Credentials }).Run(),
        Check = () =>
        {
            var fetched = Directory.GetFiles(Fetched, "*_full.db").Single();
            if (Workspace.HashOf(fetched) != Workspace.HashOf(File))
            {
                throw new BenchException("What was fetched is not what was sent.");
            }
        },
    };

    private string BucketOf(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{name.Split(' ', '-')[0].ToLowerInvariant()}-{buckets[name]}");

    private void EnsureBackup()
    {
        if (Directory.Exists(Backups))
        {
            return;
        }

        var database = BenchDatabase.PathOf(workspace, Mebibytes);
        BenchDatabase.Ensure(database, Mebibytes);
        module.BackupUncompressed(database, Backups).Run();
    }

    private void EnsureServer()
    {
        if (server is not null)
        {
            return;
        }

        var folder = Directory.CreateTempSubdirectory("shbceph").FullName;
        System.IO.File.WriteAllText(Path.Combine(folder, "users"), $"bench {Key} {Key}\n");
        var script = Path.Combine(workspace.Root, "tests", "SignalHarvester.Backup.Cloud.Tests", "Servers", "ceph.sh");
        var monitor = FreePort();
        port = FreePort();
        server = new Command(
            "setsid", ["--wait", "bash", script, folder, monitor.ToString(CultureInfo.InvariantCulture), port.ToString(CultureInfo.InvariantCulture)])
            .Start();
        if (server.StandardOutput.ReadLine() != "ready")
        {
            throw new BenchException("Ceph did not start: " + server.StandardOutput.ReadToEnd());
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
