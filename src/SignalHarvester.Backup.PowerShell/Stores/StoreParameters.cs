using System.Management.Automation;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>The parameters that name a place in an object store, shared by the cmdlets that reach one.</summary>
public class StoreParameters
{
    /// <summary>
    /// The kind of object store. Alone, it selects the configuration's store of that kind. Credentials are never parameters:
    /// they come from the platform's own chain (environment, profile, instance identity); see docs/CLOUD.md.
    /// </summary>
    [Parameter]
    public CloudProvider? Provider { get; set; }

    /// <summary>The bucket (S3, Gcs), the container (Azure) or the folder (Directory).</summary>
    [Parameter]
    [Alias("Bucket")]
    [ValidateNotNullOrEmpty]
    public string? Container { get; set; }

    /// <summary>
    /// The beginning of all object names, such as machine1/. Give each machine its own. Begin it without a slash, because
    /// some stores drop that.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public string Prefix { get; set; } = string.Empty;

    /// <summary>The address of a store other than the provider's own, such as https://s3.example.org.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? Endpoint { get; set; }

    /// <summary>The region (S3). Without it, that of the environment or the profile.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>Puts the bucket's name into the path of the address instead of its host name, as most S3-compatible stores require.</summary>
    [Parameter]
    public SwitchParameter PathStyle { get; set; }

    /// <summary>The storage account (Azure). Without it, that of the environment.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? AccountName { get; set; }

    /// <summary>The profile of the credentials file (S3).</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CredentialProfile { get; set; }

    /// <summary>The limit for transfers, in bytes per second, such as 5MB.</summary>
    [Parameter]
    [ValidateRange(1024, long.MaxValue)]
    public long? BandwidthLimit { get; set; }

    /// <summary>Returns the location that the parameters name by themselves; null if they name none.</summary>
    /// <param name="fullPath">Makes a path of the session absolute.</param>
    /// <exception cref="BackupException">InvalidArgument: a container without a provider.</exception>
    internal StoreLocation? Location(Func<string, string> fullPath)
    {
        if (Container is not { } container)
        {
            return null;
        }

        if (Provider is not { } provider)
        {
            throw BackupException.InvalidArgument(nameof(Provider), "Give both -Provider and -Container (or -Bucket): together they name the place.");
        }

        return new StoreLocation
        {
            Provider = provider,
            Container = provider == CloudProvider.Directory ? Path.TrimEndingDirectorySeparator(fullPath(container)) : container,
            Prefix = Prefix,
            Endpoint = Endpoint,
            Region = Region,
            UsePathStyle = PathStyle,
            AccountName = AccountName,
            Profile = CredentialProfile,
        };
    }

    /// <summary>Returns a configured location, overridden by the parameters.</summary>
    /// <param name="configured">The location.</param>
    /// <param name="isBound">Whether a parameter was given.</param>
    internal StoreLocation Over(StoreLocation configured, Func<string, bool> isBound) => configured with
    {
        Prefix = isBound(nameof(Prefix)) ? Prefix : configured.Prefix,
        Endpoint = Endpoint ?? configured.Endpoint,
        Region = Region ?? configured.Region,
        UsePathStyle = isBound(nameof(PathStyle)) ? PathStyle : configured.UsePathStyle,
        AccountName = AccountName ?? configured.AccountName,
        Profile = CredentialProfile ?? configured.Profile,
    };

    /// <summary>Returns the options of a store: the configured ones, overridden by the parameters.</summary>
    /// <param name="configured">The configured options.</param>
    /// <param name="isBound">Whether a parameter was given.</param>
    internal virtual StoreOptions Over(StoreOptions configured, Func<string, bool> isBound) =>
        configured with { BandwidthLimit = BandwidthLimit ?? configured.BandwidthLimit };
}
