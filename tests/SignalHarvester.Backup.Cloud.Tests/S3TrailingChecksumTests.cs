using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.S3;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests;

/// <summary>S3 on moto, with checksums in trailers.</summary>
public sealed class S3TrailingChecksumTests(MotoServer moto) : ObjectStoreConformance
{
    internal override async Task<IObjectStore> OpenAsync(StoreOptions? options = null)
    {
        var location = new CloudLocation
        {
            Provider = CloudProvider.S3,
            Container = "b" + Guid.NewGuid().ToString("N"),
            Endpoint = await moto.AddressAsync(),
            UsePathStyle = true,
        };
        var store = new S3Store(location, (options ?? new StoreOptions()) with { UseTrailingChecksums = true });
        await store.RequireContainerAsync(create: true, TestContext.Current.CancellationToken);
        return store;
    }

    internal override IObjectStore Reopen(CloudLocation location) => new S3Store(location, new StoreOptions { UseTrailingChecksums = true });
}
