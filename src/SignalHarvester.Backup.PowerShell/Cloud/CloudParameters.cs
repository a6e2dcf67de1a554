using System.Management.Automation;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.PowerShell.Cloud;

/// <summary>The parameters that name a place in an object store, shared by the cmdlets that reach one.</summary>
public class CloudParameters
{
    /// <summary>
    /// The kind of object store. Credentials are never given here: they come from the platform's own chain (environment,
    /// profile, instance identity); see docs/CLOUD.md.
    /// </summary>
    [Parameter]
    public CloudProvider? Provider { get; set; }

    /// <summary>The bucket (S3, Gcs), the container (Azure) or the folder (Directory).</summary>
    [Parameter]
    [Alias("Bucket")]
    [ValidateNotNullOrEmpty]
    public string? Container { get; set; }

    /// <summary>What the names of all objects begin with, such as machine1/. Give each machine its own.</summary>
    [Parameter]
    [ValidateNotNull]
    public string Prefix { get; set; } = string.Empty;

    /// <summary>The address of a store other than the provider's own, such as https://s3.example.org.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? Endpoint { get; set; }

    /// <summary>The region (S3). Without it, what the environment or the profile says.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>Puts the bucket's name into the path of the address instead of its host name, as S3-compatible stores want it.</summary>
    [Parameter]
    public SwitchParameter PathStyle { get; set; }

    /// <summary>The storage account (Azure). Without it, what the environment says.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? AccountName { get; set; }

    /// <summary>The profile of the credentials file (S3).</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CredentialProfile { get; set; }

    /// <summary>The bytes per second that are transferred at most, such as 5MB.</summary>
    [Parameter]
    [ValidateRange(1024, long.MaxValue)]
    public long? BandwidthLimit { get; set; }

    /// <summary>The place that the parameters name; null where they name none.</summary>
    /// <param name="fullPath">Makes a path of the session absolute.</param>
    /// <exception cref="BackupException">InvalidArgument: a provider without a container, or the other way round.</exception>
    internal CloudLocation? Location(Func<string, string> fullPath)
    {
        if (Provider is null && Container is null)
        {
            return null;
        }

        if (Provider is not { } provider || Container is not { } container)
        {
            throw new BackupException(
                BackupErrorId.InvalidArgument,
                BackupErrorCategory.InvalidArgument,
                Provider is null ? nameof(Provider) : nameof(Container),
                "Give both -Provider and -Container (or -Bucket): they name the place together.");
        }

        return new CloudLocation
        {
            Provider = provider,
            Container = provider == CloudProvider.Directory ? fullPath(container) : container,
            Prefix = Prefix,
            Endpoint = Endpoint,
            Region = Region,
            UsePathStyle = PathStyle,
            AccountName = AccountName,
            Profile = CredentialProfile,
        };
    }

    /// <summary>How the store is used.</summary>
    internal virtual StoreOptions Options() => new() { BandwidthLimit = BandwidthLimit };
}
