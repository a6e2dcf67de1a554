using System.Globalization;
using static SignalHarvester.Backup.Bench.Machines.Command;

namespace SignalHarvester.Backup.Bench.Steps;

/// <summary>A backup of 300 MiB to an S3 gateway on this machine and back, beside rclone.</summary>
internal sealed class Offsite(Workspace workspace, Module module, S3Gateway gateway) : Step
{
    private const int Mebibytes = 300;

    private readonly Dictionary<string, int> buckets = [];

    public override string Name => "offsite";

    public override string Title => "A backup of 300 MiB to Ceph's S3 gateway on loopback, and back";

    private string Backups => workspace["backups"];

    private string Fetched => workspace["fetched"];

    private string? Missing(params string[] tools) => Tools.Missing(tools) ?? S3Gateway.Missing ?? module.Missing;

    public override IEnumerable<Contestant> Contestants()
    {
        yield return Upload("rclone copy, up", Missing("rclone"), bucket => Shell($"rclone copy {Quote(File)} ceph:{bucket}"), isBaseline: true);
        yield return Upload("Send-SHBackup", Missing(), bucket => module.Send(Backups, gateway.Place(bucket)));
        yield return Download(
            "rclone copy, down", Missing("rclone"), bucket => Shell($"rclone copy ceph:{bucket} {Quote(Fetched)}; sync {Quote(Fetched)}/*"), "rclone copy, up");
        yield return Download("Receive-SHBackup", Missing(), bucket => module.Receive(gateway.Place(bucket), Fetched), "Send-SHBackup");
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

    private string File => Directory.GetFiles(Backups, "*_full.db").Single();

    private Contestant Upload(string name, string? missing, Func<string, Command> upload, bool isBaseline = false) => new()
    {
        Name = name,
        IsBaseline = isBaseline,
        Missing = missing,
        Inputs = [Backups],
        Prepare = () =>
        {
            EnsureBackup();
            gateway.EnsureStarted();
            buckets[name] = buckets.GetValueOrDefault(name) + 1;
        },
        Run = () => (upload(BucketOf(name)) with { Variables = gateway.Credentials }).Run(),
    };

    private Contestant Download(string name, string? missing, Func<string, Command> download, string uploadedBy) => new()
    {
        Name = name,
        Missing = missing,
        Outputs = [Fetched],
        Prepare = () => Directory.CreateDirectory(Fetched),
        Run = () => (download(BucketOf(uploadedBy)) with { Variables = gateway.Credentials }).Run(),
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
}
