using System.Globalization;
using SignalHarvester.Backup.Cloud.Tests.Proxy;
using SignalHarvester.Backup.Cloud.Tests.Servers;

namespace SignalHarvester.Backup.Soak;

/// <summary>Where the protection stores: a folder, or Ceph's S3 gateway on loopback behind a proxy that causes faults.</summary>
internal sealed class SoakStore : IAsyncDisposable
{
    private const string Key = "soaksoaksoaksoaksoak";

    private ServerScript? server;
    private FaultProxy? proxy;
    private string folder = "";

    /// <summary>The parameters that name it.</summary>
    public string Parameters => proxy is null
        ? $"-To {Shell.Quote(folder)}"
        : $"-Provider S3 -Bucket soak -Endpoint {proxy.Address.GetLeftPart(UriPartial.Authority)} -PathStyle -Region default";

    /// <summary>The same, for a command that reads from it.</summary>
    public string SourceParameters => proxy is null ? $"-From {Shell.Quote(folder)}" : Parameters;

    /// <summary>The variables for its clients.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["AWS_ACCESS_KEY_ID"] = Key,
        ["AWS_SECRET_ACCESS_KEY"] = Key,
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    public static async Task<SoakStore> StartAsync(string kind, string work)
    {
        var store = new SoakStore { folder = Path.Combine(work, "store") };
        if (kind == "s3")
        {
            var files = Directory.CreateTempSubdirectory("shbceph").FullName;
            await File.WriteAllTextAsync(Path.Combine(files, "users"), $"owner {Key} {Key}\n");
            var (monitor, gateway) = (ServerScript.FreePort(), ServerScript.FreePort());
            store.server = await ServerScript.StartAsync(
                "ceph.sh", files, monitor.ToString(CultureInfo.InvariantCulture), gateway.ToString(CultureInfo.InvariantCulture));
            store.proxy = new FaultProxy(new Uri($"http://127.0.0.1:{gateway}"));
        }

        return store;
    }

    /// <summary>Causes one fault, of a kind that a network or a service has.</summary>
    public void Disturb(Random random, Tally tally)
    {
        if (proxy is null)
        {
            return;
        }

        var fault = random.Next(7) switch
        {
            0 => Fault.DropRequest(random.Next(2000)),
            1 => Fault.DropResponse(0),
            2 => Fault.CorruptRequest(random.Next(500)),
            3 => Fault.CorruptResponse(random.Next(500)),
            4 => Fault.Answer(409),
            5 => Fault.Answer(503),
            _ => Fault.StallRequest(0),
        };
        proxy.Inject(fault, random.Next(1, 4));
        tally.Add("faults");
    }

    /// <summary>Ends all faults, so that what is read afterwards is what is stored.</summary>
    public void Heal() => _ = proxy?.Heal();

    public async ValueTask DisposeAsync()
    {
        if (proxy is not null)
        {
            await proxy.DisposeAsync();
        }

        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }
}
