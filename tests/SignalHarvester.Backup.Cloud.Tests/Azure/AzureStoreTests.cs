using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Cloud.Tests.Azure;

/// <summary>The contract of every object store, on Azurite.</summary>
public sealed class AzureStoreTests(AzuriteServer azurite) : ObjectStoreConformance
{
    /// <inheritdoc/>
    protected override int ManyObjects => 5005;

    internal override async Task<IObjectStore> OpenAsync(StoreOptions? options = null) => await azurite.OpenNewAsync(options);

    internal override IObjectStore Reopen(StoreLocation location) => azurite.Open(location);
}
