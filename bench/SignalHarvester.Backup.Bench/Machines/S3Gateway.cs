using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>Ceph's S3 gateway on loopback, a cluster in memory, started when a step needs it.</summary>
internal sealed class S3Gateway(Workspace workspace) : IDisposable
{
    private const string Key = "benchbenchbenchbench";

    // The gateway's log is written by a thread of its own.
    private static readonly TimeSpan LogDelay = TimeSpan.FromSeconds(1);

    private Process? server;
    private string folder = string.Empty;
    private int port;

    /// <summary>Why it cannot run here; null if it can.</summary>
    public static string? Missing => Tools.Missing("setsid", "bash", "ceph-mon", "ceph-osd", "radosgw");

    /// <summary>The variables for its clients.</summary>
    public Dictionary<string, string> Credentials => new()
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
        ["RCLONE_CONFIG_CEPH_ENDPOINT"] = Endpoint,
    };

    /// <summary>Its address.</summary>
    public string Endpoint => $"http://127.0.0.1:{port}";

    /// <summary>The parameters that name a bucket there.</summary>
    public string Place(string bucket) => $"-Provider S3 -Bucket {bucket} -Endpoint {Endpoint} -PathStyle -Region default";

    /// <summary>Starts it, unless it runs.</summary>
    /// <exception cref="BenchException">It did not start.</exception>
    public void EnsureStarted()
    {
        if (server is not null)
        {
            return;
        }

        folder = Directory.CreateTempSubdirectory("shbceph").FullName;
        File.WriteAllText(Path.Combine(folder, "users"), $"bench {Key} {Key}\n");
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

    /// <summary>Counts what it has had so far, by its own log, without the requests by which the bench looks at it.</summary>
    public RequestCount Requests()
    {
        Thread.Sleep(LogDelay);
        using var log = new StreamReader(
            new FileStream(Path.Combine(folder, "run", "client.admin.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        var count = default(RequestCount);
        while (log.ReadLine() is { } line)
        {
            if (line.Contains(" beast: ", StringComparison.Ordinal) && !line.Contains("\"rclone/", StringComparison.Ordinal))
            {
                var isPut = line.Contains("] \"PUT ", StringComparison.Ordinal) || line.Contains("] \"POST ", StringComparison.Ordinal);
                count = new RequestCount(count.Puts + (isPut ? 1 : 0), count.All + 1);
            }
        }

        return count;
    }

    public void Dispose()
    {
        if (server is not null)
        {
            server.StandardInput.Close();
            server.WaitForExit();
            server.Dispose();
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
