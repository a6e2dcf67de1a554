using System.Globalization;
using SignalHarvester.Backup.Cloud.Tests.Proxy;
using SignalHarvester.Backup.Cloud.Tests.Servers;

namespace SignalHarvester.Backup.Soak;

/// <summary>Where the protection stores: a folder, or Ceph's S3 gateway on loopback behind a proxy that causes faults.</summary>
internal sealed class SoakStore(Tally tally) : IAsyncDisposable
{
    private const string Key = "soaksoaksoaksoaksoak";

    private const string Conflict = "409";
    private const string Undecided =
        "<Error><Code>ConditionalRequestConflict</Code><Message>Another conditional request for this object is under way.</Message></Error>";

    // What a command says that the faults have ended.
    private static readonly string[] Outcomes = ["cannot be reached or does not work", "the received data differs from the sent data"];

    private ServerScript? server;
    private FaultProxy? proxy;
    private Uri? direct;
    private string folder = "";
    private volatile bool isHealthy;

    /// <summary>The parameters that name it.</summary>
    public string Parameters => proxy is null ? $"-To {Shell.Quote(folder)}" : At(proxy.Address);

    /// <summary>The same for a command that reads from it, without faults: what is read is what is stored.</summary>
    public string SourceParameters => direct is null ? $"-From {Shell.Quote(folder)}" : At(direct) + " -Remote";

    /// <summary>The same for one that reads from it all the time, through the faults.</summary>
    public string DisturbedSourceParameters => proxy is null ? SourceParameters : At(proxy.Address) + " -Remote";

    /// <summary>The variables for its clients.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["AWS_ACCESS_KEY_ID"] = Key,
        ["AWS_SECRET_ACCESS_KEY"] = Key,
        ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    /// <summary>Returns what a command says of a fault that has ended it; null if it was another reason.</summary>
    public static string? FaultIn(string said) => Array.Find(Outcomes, outcome => said.Contains(outcome, StringComparison.Ordinal));

    public static async Task<SoakStore> StartAsync(string kind, string work, Tally tally)
    {
        var store = new SoakStore(tally) { folder = Path.Combine(work, "store") };
        if (kind == "s3")
        {
            var files = Directory.CreateTempSubdirectory("shbceph").FullName;
            await File.WriteAllTextAsync(Path.Combine(files, "users"), $"owner {Key} {Key}\n");
            var (monitor, gateway) = (ServerScript.FreePort(), ServerScript.FreePort());
            store.server = await ServerScript.StartAsync(
                "ceph.sh", files, monitor.ToString(CultureInfo.InvariantCulture), gateway.ToString(CultureInfo.InvariantCulture));
            store.direct = new Uri($"http://127.0.0.1:{gateway}");
            store.proxy = new FaultProxy(store.direct);
        }

        return store;
    }

    /// <summary>Causes faults of the kinds that a network and a service have, now and then, until the end.</summary>
    public async Task DisturbAsync(Random random, CancellationToken end)
    {
        if (proxy is null)
        {
            return;
        }

        try
        {
            while (true)
            {
                await Task.Delay(random.Next(1500), end);
                if (!isHealthy)
                {
                    Disturb(random);
                }
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The soak is over.
        }
    }

    /// <summary>Ends all faults until it goes on.</summary>
    public void Heal()
    {
        isHealthy = true;
        _ = proxy?.Heal();
    }

    /// <summary>Lets faults come again.</summary>
    public void GoOn() => isHealthy = false;

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

    private static string At(Uri address) =>
        $"-Provider S3 -Bucket soak -Endpoint {address.GetLeftPart(UriPartial.Authority)} -PathStyle -Region default";

    private void Disturb(Random random)
    {
        var (name, fault) = random.Next(20) switch
        {
            < 4 => ("reset in a request", Fault.DropRequest(random.Next(2000))),
            < 8 => ("answer lost", Fault.DropResponse(0)),
            < 9 => ("bit flipped in a request", Fault.CorruptRequest(random.Next(500))),
            < 10 => ("bit flipped in an answer", Fault.CorruptResponse(random.Next(500))),
            < 13 => (Conflict, Fault.Answer(409, Undecided)),
            < 16 => ("500", Fault.Answer(500)),
            < 19 => ("503", Fault.Answer(503)),
            _ => ("hang", random.Next(2) == 0 ? Fault.StallRequest(0) : Fault.StallResponse(0)),
        };

        // Enough of them in a row, now and then, that a client gives up. A conflict is the answer to a conditional request alone.
        proxy!.Inject(fault, random.Next(10) == 0 ? 12 : 1, head =>
        {
            var isHit = name != Conflict || head["If-None-Match"] is not null;
            if (isHit)
            {
                tally.Add("fault: " + name);
            }

            return isHit;
        });
    }
}
