namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>How a store is used. None of it is a secret.</summary>
public sealed record StoreOptions
{
    /// <summary>The storage class or access tier of new objects, by the provider's own name; null for the container's default.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Server-side encryption of new objects (S3): <c>AES256</c> or <c>aws:kms</c>; null for the bucket's default.</summary>
    public string? ServerSideEncryption { get; init; }

    /// <summary>The key of the server-side encryption: a KMS key (S3, Google); null for the default key.</summary>
    public string? EncryptionKey { get; init; }

    /// <summary>How long nobody may delete or overwrite new objects, not even with the same credentials; null for no such lock.</summary>
    public TimeSpan? ImmutableFor { get; init; }

    /// <summary>What an object is kept as, from the moment that its upload begins: an upload with another cannot be gone on with.</summary>
    internal string StorageFingerprint => string.Join('|', StorageClass, ServerSideEncryption, EncryptionKey, ImmutableFor?.ToString("c"));

    /// <summary>
    /// Whether checksums are sent as trailers (S3), which many S3-compatible stores refuse. Where not, each request
    /// still carries an MD5 of its content.
    /// </summary>
    public bool UseTrailingChecksums { get; init; }

    /// <summary>Bytes per second that all requests together may transfer, in each direction; null for no limit.</summary>
    public long? BandwidthLimit { get; init; }

    /// <summary>How often a transient failure is tried again, with back-off and jitter.</summary>
    public int MostRetries { get; init; } = 5;

    /// <summary>How long one request may take without a byte going through.</summary>
    public TimeSpan NetworkTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
