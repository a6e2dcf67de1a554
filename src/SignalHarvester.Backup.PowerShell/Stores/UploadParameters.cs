using System.Management.Automation;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>The parameters of the cmdlets that send to an object store.</summary>
public sealed class UploadParameters : StoreParameters
{
    /// <summary>Creates a missing bucket or container. Without it, a missing one is an error.</summary>
    [Parameter]
    [Alias("CreateBucket")]
    public SwitchParameter CreateContainer { get; set; }

    /// <summary>The storage class or access tier of the copies, by the provider's own name, such as STANDARD_IA, Cool or NEARLINE.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(StorageClassCompleter))]
    [ValidateNotNullOrEmpty]
    public string? StorageClass { get; set; }

    /// <summary>Encryption by the store (S3): AES256 or aws:kms. Without it, the bucket's default.</summary>
    [Parameter]
    [ValidateSet("AES256", "aws:kms")]
    public string? ServerSideEncryption { get; set; }

    /// <summary>The name of the store's own key for that encryption (S3, Gcs).</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? KmsKeyId { get; set; }

    /// <summary>
    /// Locks the copies in the store up to this age, such as 30d: until then nobody can delete or overwrite them, not even
    /// with the same credentials. The bucket or container must allow it (S3 Object Lock, Azure immutability, Gcs object
    /// retention).
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(AgeCompleter))]
    [ValidateNotNull]
    public BackupAge? ImmutableFor { get; set; }

    /// <summary>Sends checksums as trailers (S3), as Amazon's own tools do. Many S3-compatible stores refuse them, so they are off.</summary>
    [Parameter]
    public SwitchParameter TrailingChecksums { get; set; }

    /// <inheritdoc/>
    internal override StoreOptions Over(StoreOptions configured, Func<string, bool> isBound) => base.Over(configured, isBound) with
    {
        StorageClass = StorageClass ?? configured.StorageClass,
        ServerSideEncryption = ServerSideEncryption ?? configured.ServerSideEncryption,
        EncryptionKey = KmsKeyId ?? configured.EncryptionKey,
        ImmutableFor = ImmutableFor?.Value ?? configured.ImmutableFor,
        UseTrailingChecksums = isBound(nameof(TrailingChecksums)) ? TrailingChecksums : configured.UseTrailingChecksums,
    };
}
