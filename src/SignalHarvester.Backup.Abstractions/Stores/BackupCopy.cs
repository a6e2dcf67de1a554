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

    /// <summary>Whether the copy is at a place: in the same container of the same account and server, under the same prefix.</summary>
    public bool IsIn(StoreLocation place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return Provider == place.Provider && Container == place.Container
            && StoreLocation.KeyPrefix(Provider, UsePathStyle, Prefix) == place.Prefix
            && Endpoint == place.Endpoint?.AbsoluteUri && AccountName == place.AccountName;
    }

    /// <summary>The copy's address.</summary>
    public override string ToString() => Url;
}
