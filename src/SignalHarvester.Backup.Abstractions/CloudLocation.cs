namespace SignalHarvester.Backup;

/// <summary>
/// Where backups lie in an object store: all that is needed to find it again, and no secret. Credentials come from the
/// platform's own chain each time.
/// </summary>
public sealed record CloudLocation
{
    /// <summary>The kind of store.</summary>
    public required CloudProvider Provider { get; init; }

    /// <summary>The bucket (S3, Google), the container (Azure), or the folder's full path.</summary>
    public required string Container { get; init; }

    /// <summary>What the names of all objects begin with: empty, or a text that ends with a slash.</summary>
    public string Prefix
    {
        get;
        init => field = value.Length == 0 || value.EndsWith('/') ? value : value + "/";
    } = string.Empty;

    /// <summary>The address of a store other than the provider's own, such as http://127.0.0.1:7480; null for the provider's.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The region (S3); null for what the environment or the profile says.</summary>
    public string? Region { get; init; }

    /// <summary>Whether the bucket stands in the path of the address instead of its host name (S3-compatible stores).</summary>
    public bool UsePathStyle { get; init; }

    /// <summary>The storage account (Azure); null for what the environment says.</summary>
    public string? AccountName { get; init; }

    /// <summary>The named profile of the credentials file (S3); null for the default chain.</summary>
    public string? Profile { get; init; }

    /// <summary>The store and the prefix, as an address without credentials: s3://bucket/prefix/, gs://…, azure://account/container/prefix/, or file:///….</summary>
    public override string ToString() => Provider switch
    {
        CloudProvider.S3 => $"s3://{Container}/{Prefix}",
        CloudProvider.Gcs => $"gs://{Container}/{Prefix}",
        CloudProvider.Azure => $"azure://{(AccountName is null ? string.Empty : AccountName + "/")}{Container}/{Prefix}",
        _ => new Uri(Path.Combine(Container, Prefix)).AbsoluteUri,
    };
}
