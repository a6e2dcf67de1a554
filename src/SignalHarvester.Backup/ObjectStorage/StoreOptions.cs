namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>The options of a store. None is a secret.</summary>
public sealed record StoreOptions
{
    /// <summary>The storage class or access tier of new objects, by the provider's own name; null for the container's default.</summary>
    public string? StorageClass { get; init; }

    /// <summary>Server-side encryption of new objects (S3): <c>AES256</c> or <c>aws:kms</c>; null for the bucket's default.</summary>
    public string? ServerSideEncryption { get; init; }

    /// <summary>The key of the server-side encryption: a KMS key (S3, Google); null for the default key.</summary>
    public string? EncryptionKey { get; init; }

    /// <summary>The time during which nobody may delete or overwrite new objects, not even with the same credentials; null for no such lock.</summary>
    public TimeSpan? ImmutableFor { get; init; }

    /// <summary>The storage settings of an object, fixed when its upload begins: an upload with other settings cannot be resumed.</summary>
    internal string StorageFingerprint => string.Join('|', StorageClass, ServerSideEncryption, EncryptionKey, ImmutableFor?.ToString("c"));

    /// <summary>
    /// Whether checksums are sent as trailers (S3), which many S3-compatible stores refuse. If not, each request
    /// still carries an MD5 of its content.
    /// </summary>
    public bool UseTrailingChecksums { get; init; }

    /// <summary>Bytes per second that all requests together may transfer, in each direction; null for no limit.</summary>
    public long? BandwidthLimit { get; init; }

    /// <summary>The number of retries after a transient failure, with back-off and jitter.</summary>
    public int MostRetries { get; init; } = 5;

    /// <summary>The longest time without data in one request.</summary>
    public TimeSpan NetworkTimeout { get; init; } = TimeSpan.FromSeconds(60);
}
