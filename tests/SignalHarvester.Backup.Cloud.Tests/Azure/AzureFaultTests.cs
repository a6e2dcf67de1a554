using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Azure;

/// <summary>The faults that every store on a network must survive, with Azurite behind the proxy.</summary>
public sealed class AzureFaultTests(AzuriteServer azurite) : FaultConformance
{
    internal override Task<Uri> ServerAsync() => azurite.AddressAsync();

    internal override async Task<IObjectStore> OpenThroughAsync(Uri address, StoreOptions options)
    {
        var store = azurite.Open(await azurite.NewLocationAsync() with { Endpoint = address }, options);
        await store.RequireContainerAsync(create: true, TestContext.Current.CancellationToken);
        return store;
    }
}
