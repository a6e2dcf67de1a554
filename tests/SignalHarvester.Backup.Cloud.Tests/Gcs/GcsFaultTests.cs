using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Gcs;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Gcs;

/// <summary>Google Cloud Storage on a bad line.</summary>
[Collection(GoogleEnvironment.Collection)]
public sealed class GcsFaultTests : FaultConformance, IAsyncLifetime
{
    private readonly GoogleEnvironment environment = new();
    private FakeGcs fake = null!;

    public async ValueTask InitializeAsync()
    {
        fake = await FakeGcs.StartAsync();
        environment.UseAccountOf(fake);
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await DisposeAsync();
        await fake.DisposeAsync();
        environment.Dispose();
    }

    internal override Task<Uri> ServerAsync() => Task.FromResult(fake.Address);

    internal override Task<IObjectStore> OpenThroughAsync(Uri address, StoreOptions options) => Task.FromResult<IObjectStore>(
        new GcsStore(new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups", Endpoint = address }, options));
}
