using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Cloud.Tests;

/// <summary>What every object store must do. Each provider's class opens a store on a real server and inherits the tests.</summary>
public abstract class ObjectStoreConformance
{
    /// <summary>Opens the store in a container of its own that is there and empty.</summary>
    internal abstract Task<IObjectStore> OpenAsync(StoreOptions? options = null);
}
