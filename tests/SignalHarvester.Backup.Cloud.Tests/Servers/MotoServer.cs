using System.Globalization;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(MotoServer))]

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>
/// moto, an imitation of AWS that accepts any credentials, and has what Ceph does not: checksums in trailers, and a condition on the
/// completion of an upload. It starts when it is first needed.
/// </summary>
public sealed class MotoServer : IAsyncDisposable
{
    private readonly Lazy<Task<Uri>> started;
    private ServerScript? server;

    public MotoServer() => started = new Lazy<Task<Uri>>(StartAsync);

    /// <summary>Returns the server's address; skips the running test, visibly, if moto is not installed.</summary>
    public Task<Uri> AddressAsync()
    {
        Assert.SkipWhen(Tool.Find("moto_server") is null, "'moto_server' is not installed (it is in none of the registries that tests/run.sh may ask)");
        return started.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }
    }

    private async Task<Uri> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("shbmoto").FullName;
        var port = ServerScript.FreePort();
        server = await ServerScript.StartAsync("moto.sh", folder, port.ToString(CultureInfo.InvariantCulture));
        return new Uri($"http://127.0.0.1:{port}");
    }
}
