using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using static SignalHarvester.Backup.Bench.Machines.Command;

namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>A bucket of Ceph's S3 gateway, which notes for each object when it was stored, on the clock of this machine. rclone lists and fetches.</summary>
internal sealed class BucketStore(Workspace workspace, S3Gateway gateway) : ProtectedStore
{
    private string bucket = string.Empty;
    private int buckets;

    public override string Suffix => "-s3";

    public override string Title => "Ceph's S3 gateway on loopback";

    public override string? Missing => Tools.Missing("rclone") ?? S3Gateway.Missing;

    public override bool TellsTimes => true;

    public override IReadOnlyDictionary<string, string> Variables => gateway.Credentials;

    public override RequestCount? Requests => gateway.Requests();

    public override string ToParameters => gateway.Place(bucket);

    public override string FromParameters => "-Remote " + gateway.Place(bucket);

    private string Listing => workspace["listing.json"];

    public override void Clear()
    {
        gateway.EnsureStarted();
        bucket = string.Create(CultureInfo.InvariantCulture, $"protected-{++buckets}");
        Rclone($"mkdir ceph:{bucket}");
    }

    public override Dictionary<string, object> ReplicaOf(string name) => new()
    {
        ["type"] = "s3",
        ["bucket"] = bucket,
        ["path"] = name,
        ["endpoint"] = gateway.Endpoint,
        ["region"] = "default",
        ["force-path-style"] = true,
    };

    public override IEnumerable<StoredObject> List()
    {
        Rclone($"lsjson -R --files-only --use-server-modtime ceph:{bucket} > {Quote(Listing)}");
        var (now, timestamp) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp());
        using var objects = JsonDocument.Parse(File.ReadAllBytes(Listing));
        return
        [
            .. objects.RootElement.EnumerateArray().Select(stored =>
            {
                var size = stored.GetProperty("Size").GetInt64();
                var ago = now - stored.GetProperty("ModTime").GetDateTimeOffset();
                return new StoredObject(stored.GetProperty("Path").GetString()!, timestamp - (long)(ago.TotalSeconds * Stopwatch.Frequency), () => size);
            }),
        ];
    }

    public override string Fetch(StoredObject stored)
    {
        var fetched = workspace["fetched"];
        if (!File.Exists(Path.Combine(fetched, bucket, stored.Name)))
        {
            Rclone($"copy ceph:{bucket} {Quote(Path.Combine(fetched, bucket))}");
        }

        return Path.Combine(fetched, bucket, stored.Name);
    }

    private void Rclone(string arguments) => _ = (Shell($"rclone {arguments}") with { Variables = gateway.Credentials }).Run();
}
