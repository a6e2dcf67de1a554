using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Gcs;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Gcs;

/// <summary>Google Cloud Storage, with a service account's key file, on the fake.</summary>
[Collection(GoogleEnvironment.Collection)]
public sealed class GcsStoreTests : ObjectStoreConformance, IAsyncLifetime
{
    private readonly GoogleEnvironment environment = new();
    private FakeGcs fake = null!;

    public async ValueTask InitializeAsync()
    {
        fake = await FakeGcs.StartAsync();
        environment.UseAccountOf(fake);
    }

    public async ValueTask DisposeAsync()
    {
        await fake.DisposeAsync();
        environment.Dispose();
    }

    internal override Task<IObjectStore> OpenAsync(StoreOptions? options = null) => Task.FromResult<IObjectStore>(
        new GcsStore(new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups", Endpoint = fake.Address }, options ?? new StoreOptions()));

    internal override IObjectStore Reopen(StoreLocation location) => new GcsStore(location, new StoreOptions());
}
