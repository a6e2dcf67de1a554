namespace SignalHarvester.Backup;

/// <summary>A copy of a backup in an object store.</summary>
public sealed record BackupCopy
{
    /// <summary>The kind of store.</summary>
    public required CloudProvider Provider { get; init; }

    /// <summary>The address of the copy's file, without credentials.</summary>
    public required string Url { get; init; }

    /// <summary>The bucket, container or folder.</summary>
    public required string Container { get; init; }

    /// <summary>The beginning of the object names.</summary>
    public string Prefix { get; init; } = string.Empty;

    /// <summary>The address of a store other than the provider's own.</summary>
    public string? Endpoint { get; init; }

    /// <summary>The region (S3).</summary>
    public string? Region { get; init; }

    /// <summary>Whether the bucket is in the path of the address (S3-compatible stores).</summary>
    public bool UsePathStyle { get; init; }

    /// <summary>The storage account (Azure).</summary>
    public string? AccountName { get; init; }

    /// <summary>The provider's own checksum of the received file, as <c>algorithm:value</c>.</summary>
    public string? Checksum { get; init; }

    /// <summary>The time of its arrival.</summary>
    public DateTimeOffset Uploaded { get; init; }

    /// <summary>A copy in a store.</summary>
    /// <param name="location">The store.</param>
    /// <param name="url">The address of the copy's file.</param>
    /// <param name="checksum">The provider's own checksum of the file, as <c>algorithm:value</c>.</param>
    /// <param name="uploaded">The time of its arrival.</param>
    public static BackupCopy In(StoreLocation location, string url, string? checksum, DateTimeOffset uploaded)
    {
        ArgumentNullException.ThrowIfNull(location);
        return new BackupCopy
        {
            Provider = location.Provider,
            Url = url,
            Container = location.Container,
            Prefix = location.Prefix,
            Endpoint = location.Endpoint?.AbsoluteUri,
            Region = location.Region,
            UsePathStyle = location.UsePathStyle,
            AccountName = location.AccountName,
            Checksum = checksum,
            Uploaded = uploaded,
        };
    }

    /// <summary>The place of the copy. A profile of credentials is not recorded.</summary>
    public StoreLocation ToLocation() => new()
    {
        Provider = Provider,
        Container = Container,
        Prefix = Prefix,
        Endpoint = Endpoint is null ? null : new Uri(Endpoint, UriKind.RelativeOrAbsolute),
        Region = Region,
        UsePathStyle = UsePathStyle,
        AccountName = AccountName,
    };

    /// <summary>
    /// Whether the copy is in a store: the same container of the same account and server, under the same prefix, whatever the
    /// region and the address style.
    /// </summary>
    public bool IsIn(StoreLocation place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return ToLocation().IsSamePlace(place);
    }

    /// <summary>The copy's address.</summary>
    public override string ToString() => Url;
}
