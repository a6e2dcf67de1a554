using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.S3;

namespace SignalHarvester.Backup.Cloud.Tests.S3;

/// <summary>S3 on Ceph's gateway, with the MD5s of S3-compatible stores.</summary>
public sealed class S3StoreTests(CephServer ceph) : ObjectStoreConformance
{
    internal override async Task<IObjectStore> OpenAsync(StoreOptions? options = null) => await ceph.OpenNewAsync(options);

    internal override IObjectStore Reopen(StoreLocation location) => new S3Store(location, new StoreOptions());
}
