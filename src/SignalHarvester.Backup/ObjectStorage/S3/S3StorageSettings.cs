using Amazon.S3;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>The storage settings of new objects, in the SDK's types.</summary>
internal sealed class S3StorageSettings(StoreOptions options)
{
    /// <summary>The storage class; null for the bucket's own.</summary>
    public S3StorageClass? StorageClass => options.StorageClass is { } name ? new S3StorageClass(name) : null;

    /// <summary>The encryption; null for the bucket's own.</summary>
    public ServerSideEncryptionMethod? Encryption => options.ServerSideEncryption is { } method ? new ServerSideEncryptionMethod(method) : null;

    /// <summary>The lock's mode; null for no lock.</summary>
    /// <remarks>
    /// Anybody with the permission can lift GOVERNANCE, and so can a thief of an administrator's key. Nobody can lift COMPLIANCE,
    /// not even the account's owner.
    /// </remarks>
    public ObjectLockMode? LockMode => options.ImmutableFor is null ? null : ObjectLockMode.Compliance;

    /// <summary>The end of the lock, counted from now; null for none.</summary>
    public DateTime? LockedUntil => options.ImmutableFor is { } time ? DateTime.UtcNow + time : null;

    /// <summary>The key of the encryption; null for the default one.</summary>
    public string? EncryptionKey => options.EncryptionKey;
}
