using System.Globalization;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.S3;
using SignalHarvester.Backup.TestSupport;
using Xunit;

[assembly: AssemblyFixture(typeof(CephServer))]

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>
/// Ceph's S3 gateway with its own cluster in memory, one for all tests of a run. It starts when it is first needed. Its owner's key is
/// in the environment, where the SDK looks for it; the profiles named here have the others.
/// </summary>
public sealed class CephServer : IAsyncDisposable
{
    /// <summary>The profile of a user who owns nothing here.</summary>
    public const string Stranger = "stranger";

    /// <summary>The profile of a key that the server does not know.</summary>
    public const string UnknownKey = "unknown-key";

    /// <summary>The profile of the owner's key with another secret.</summary>
    public const string WrongSecret = "wrong-secret";

    private const int MostTries = 3;

    private readonly TempFolder files = new(plain: true);
    private readonly Lazy<Task<Uri>> started;
    private readonly string strangersKey = NewKey();
    private readonly string strangersSecret = NewKey();
    private ServerScript? server;

    public CephServer()
    {
        started = new Lazy<Task<Uri>>(StartAsync);
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", SecretKey);
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", files["credentials"]);
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", files["config"]);
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_DISABLED", "true");
        File.WriteAllText(files["config"], string.Empty);
        File.WriteAllText(
            files["credentials"],
            Profile(Stranger, strangersKey, strangersSecret) + Profile(UnknownKey, NewKey(), NewKey()) + Profile(WrongSecret, AccessKey, NewKey()));
    }

    /// <summary>The owner's access key.</summary>
    public string AccessKey { get; } = NewKey();

    /// <summary>The owner's secret key.</summary>
    public string SecretKey { get; } = NewKey();

    /// <summary>Returns the server's address; skips the running test, visibly, if Ceph is not installed.</summary>
    public Task<Uri> AddressAsync()
    {
        foreach (var needed in (string[])["radosgw", "ceph-mon", "ceph-osd", "ceph", "setsid"])
        {
            Assert.SkipWhen(Tool.Find(needed) is null, Tool.SkipReason(needed) ?? string.Empty);
        }

        return started.Value;
    }

    /// <summary>Returns a location in a new bucket, which does not exist yet.</summary>
    public async Task<StoreLocation> NewLocationAsync() => new()
    {
        Provider = CloudProvider.S3,
        Container = "b" + Guid.NewGuid().ToString("N"),
        Prefix = "pre fix+%41ü/",
        Endpoint = await AddressAsync(),
        UsePathStyle = true,
    };

    /// <summary>Opens a store in an existing, empty bucket.</summary>
    internal async Task<S3Store> OpenNewAsync(StoreOptions? options = null)
    {
        var store = new S3Store(await NewLocationAsync(), options ?? new StoreOptions());
        await store.RequireContainerAsync(create: true, TestContext.Current.CancellationToken);
        return store;
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.DisposeAsync();
        }

        files.Dispose();
    }

    private static string NewKey() => Guid.NewGuid().ToString("N");

    private static string Profile(string name, string access, string secret) =>
        string.Create(CultureInfo.InvariantCulture, $"[{name}]\naws_access_key_id={access}\naws_secret_access_key={secret}\n");

    private async Task<Uri> StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            // The script removes it, because it may outlive this process.
            var folder = Directory.CreateTempSubdirectory("shbceph").FullName;
            await File.WriteAllTextAsync(Path.Combine(folder, "users"), $"owner {AccessKey} {SecretKey}\n{Stranger} {strangersKey} {strangersSecret}\n");
            var (monitor, gateway) = (ServerScript.FreePort(), ServerScript.FreePort());
            try
            {
                server = await ServerScript.StartAsync(
                    "ceph.sh", folder, monitor.ToString(CultureInfo.InvariantCulture), gateway.ToString(CultureInfo.InvariantCulture));
                return new Uri($"http://127.0.0.1:{gateway}");
            }
            catch (InvalidOperationException) when (attempt < MostTries)
            {
                // Somebody else may have taken a port in between.
            }
        }
    }
}
