namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>
/// A place that keeps named objects: an S3 bucket, an Azure container, a Google bucket, a folder. Names are relative to the
/// location's prefix, and never hold one. Every method retries what is transient, and only that, with back-off and jitter.
/// All of them throw <see cref="BackupException"/> with one of the Cloud… ids, and <see cref="OperationCanceledException"/>
/// when they are stopped. Safe to be used by several threads at once.
/// </summary>
/// <remarks>
/// Errors that every implementation tells apart: CloudCredentialsMissing, CloudAccessDenied, CloudContainerNotFound,
/// CloudObjectNotFound, CloudObjectExists (a condition was not met), CloudObjectChanged (the version asked for is not there
/// any more), CloudChecksumMismatch, CloudClockSkew, CloudRegionWrong, CloudTlsFailed, CloudRefused (the service does not
/// take an option or a request), CloudUnavailable (still failing after all retries).
/// </remarks>
internal interface IObjectStore : IDisposable
{
    /// <summary>Where this is.</summary>
    StoreLocation Location { get; }

    /// <summary>How many parts of one upload may be on their way at once. One where a service takes them only in order.</summary>
    int MostParallelParts { get; }

    /// <summary>The checksums of the whole content that the service compares, beside the SHA-256.</summary>
    ContentChecksums Checksums { get; }

    /// <summary>Its options. Existing objects keep the options that they were sent with.</summary>
    StoreOptions Options { get; }

    /// <summary>The address of an object, without credentials, as it is recorded in sidecars.</summary>
    string UrlOf(string name);

    /// <summary>The size of the parts that an object is uploaded in, in bytes.</summary>
    /// <param name="length">The object's size in bytes.</param>
    /// <exception cref="BackupException">CloudRefused: an object of this size is too large for the service.</exception>
    long PartSize(long length);

    /// <summary>Makes sure that the bucket, container or folder is there.</summary>
    /// <param name="create">Whether a missing one is created.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudContainerNotFound, CloudAccessDenied.</exception>
    Task RequireContainerAsync(bool create, CancellationToken cancellation);

    /// <summary>All objects whose name begins so, in the order of their names, page after page.</summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, CancellationToken cancellation);

    /// <summary>What is known of one object, its attributes included; null if there is none.</summary>
    Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation);

    /// <summary>Reads a range of one version of an object, all of it.</summary>
    /// <param name="version">The object as it was found; another version is CloudObjectChanged.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">Filled from its beginning to its end.</param>
    /// <param name="cancellation">Stops it.</param>
    Task ReadAsync(ObjectInfo version, long offset, Memory<byte> destination, CancellationToken cancellation);

    /// <summary>Writes a small object in one request, atomically.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="content">Its bytes, a few MiB at most.</param>
    /// <param name="attributes">What is recorded with it, and its checksums.</param>
    /// <param name="replaces">The version that may be replaced; null if no object of the name may be there.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudObjectExists: another object, or another version, is there.</exception>
    Task<ObjectInfo> PutAsync(string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation);

    /// <summary>Deletes an object; a missing one is no error.</summary>
    /// <returns>False where the service only hides it and keeps a version that can be brought back.</returns>
    /// <exception cref="BackupException">CloudAccessDenied, CloudRefused: it may not be deleted yet, or not by this account.</exception>
    Task<bool> DeleteAsync(string name, CancellationToken cancellation);

    /// <summary>Begins an upload in parts, which another process can go on with.</summary>
    /// <returns>The upload's id. It can be as good as a credential: it is kept in private files alone, and never shown.</returns>
    Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation);

    /// <summary>The parts that have arrived; null if the service knows no such upload any more.</summary>
    /// <param name="name">The object.</param>
    /// <param name="uploadId">The upload.</param>
    /// <param name="length">The object's size in bytes.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation);

    /// <summary>Whether a part that has arrived is known to hold these bytes. Where it is not known, it is sent again.</summary>
    bool Holds(UploadedPart part, ReadOnlySpan<byte> content);

    /// <summary>Sends one part, with its checksum.</summary>
    /// <param name="name">The object.</param>
    /// <param name="uploadId">The upload.</param>
    /// <param name="number">The part's number, from 1.</param>
    /// <param name="offset">Where in the object it begins.</param>
    /// <param name="length">The object's size in bytes.</param>
    /// <param name="content">The part's bytes.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudUploadLost: the service does not know the upload any more.</exception>
    Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>
    /// Makes the object out of its parts, unless one of its name is there, and compares the checksum that the service
    /// gives with that of the parts.
    /// </summary>
    /// <exception cref="BackupException">CloudObjectExists, CloudChecksumMismatch, CloudUploadLost.</exception>
    Task<ObjectInfo> CompleteUploadAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation);

    /// <summary>Cancels an upload and deletes its parts. An unknown upload is no error.</summary>
    Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation);

    /// <summary>
    /// The uploads that were neither completed nor cancelled, where the service lists them. Where it does not, they
    /// expire by themselves, and there are none.
    /// </summary>
    IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, CancellationToken cancellation);
}
