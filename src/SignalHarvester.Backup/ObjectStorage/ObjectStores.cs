using SignalHarvester.Backup.ObjectStorage.Folder;

namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>Opens the store of a location. A provider's libraries load here, at its first use.</summary>
internal static class ObjectStores
{
    /// <summary>Opens a store, without contacting it.</summary>
    /// <exception cref="BackupException">InvalidArgument: the location is not valid.</exception>
    public static IObjectStore Open(StoreLocation location, StoreOptions options)
    {
        RefuseSecrets(location);
        KeyPrefix.Require(location);
        return location.Provider switch
        {
            CloudProvider.S3 => new S3.S3Store(location, options),
            CloudProvider.Azure => new Azure.AzureStore(location, options),
            CloudProvider.Gcs => new Gcs.GcsStore(location, options),
            _ => new DirectoryStore(location, options),
        };
    }

    /// <summary>A location is recorded and shown, so it must not contain credentials.</summary>
    private static void RefuseSecrets(StoreLocation location)
    {
        if (location.Endpoint is { } endpoint
            && (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https") || endpoint.UserInfo.Length > 0 || endpoint.Query.Length > 0
                || endpoint.Fragment.Length > 0))
        {
            throw BackupException.InvalidArgument(
                "Endpoint",
                "-Endpoint must be an address such as https://s3.example.org, without a user name, a query or a fragment: the address is recorded, but credentials must not be. Give those through the environment; see docs/CLOUD.md.");
        }
    }
}
