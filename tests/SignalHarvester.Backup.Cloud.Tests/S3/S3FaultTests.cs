using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.S3;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.S3;

/// <summary>Faults on the way to Ceph.</summary>
public sealed class S3FaultTests(CephServer ceph) : FaultConformance
{
    internal override Task<Uri> ServerAsync() => ceph.AddressAsync();

    internal override async Task<IObjectStore> OpenThroughAsync(Uri address, StoreOptions options)
    {
        var store = new S3Store(await ceph.NewLocationAsync() with { Endpoint = address }, options);
        await store.RequireContainerAsync(create: true, TestContext.Current.CancellationToken);
        return store;
    }
}
