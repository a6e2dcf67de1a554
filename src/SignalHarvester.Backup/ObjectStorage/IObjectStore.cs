namespace SignalHarvester.Backup.ObjectStorage;

/// <summary>
/// A place that keeps named objects: an S3 bucket, an Azure container, a Google bucket, a folder. Names are relative to the
/// location's prefix, and never contain it. Every method retries transient failures, and only those, with back-off and jitter.
/// All of them throw <see cref="BackupException"/> with one of the Cloud… ids, and <see cref="OperationCanceledException"/>
/// when they are stopped. Several threads may use a store at once.
/// </summary>
/// <remarks>
/// Every implementation distinguishes these errors: CloudCredentialsMissing, CloudAccessDenied, CloudContainerNotFound,
/// CloudObjectNotFound, CloudObjectExists (a condition was not met), CloudObjectChanged (the requested version no longer
/// exists), CloudChecksumMismatch, CloudClockSkew, CloudRegionWrong, CloudTlsFailed, CloudRefused (the service does not
/// accept an option or a request), CloudUnavailable (still failing after all retries).
/// </remarks>
internal interface IObjectStore : IDisposable
{
    /// <summary>The store's location.</summary>
    StoreLocation Location { get; }

    /// <summary>How many parts of one upload may be in transit at once. One if the service accepts them only in order.</summary>
    int MostParallelParts { get; }

    /// <summary>The checksums of the whole content that the service compares, in addition to the SHA-256.</summary>
    ContentChecksums Checksums { get; }

    /// <summary>Its options. Existing objects keep the options with which they were sent.</summary>
    StoreOptions Options { get; }

    /// <summary>Returns the address of an object, without credentials, in the form that sidecars record.</summary>
    string UrlOf(string name);

    /// <summary>Returns the size in bytes of the parts in which an object is uploaded.</summary>
    /// <param name="length">The object's size in bytes.</param>
    /// <exception cref="BackupException">CloudRefused: an object of this size is too large for the service.</exception>
    long PartSize(long length);

    /// <summary>Makes sure that the bucket, container or folder exists.</summary>
    /// <param name="create">Whether a missing one is created.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudContainerNotFound, CloudAccessDenied.</exception>
    Task RequireContainerAsync(bool create, CancellationToken cancellation);

    /// <summary>Lists all objects whose names begin with a text, sorted by name, page after page.</summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, CancellationToken cancellation);

    /// <summary>Returns what is known about one object, including its attributes; null if there is none.</summary>
    Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation);

    /// <summary>Reads a whole range of one version of an object.</summary>
    /// <param name="version">The object as found; another version is CloudObjectChanged.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">The buffer to fill completely.</param>
    /// <param name="cancellation">Stops it.</param>
    Task ReadAsync(ObjectInfo version, long offset, Memory<byte> destination, CancellationToken cancellation);

    /// <summary>Writes a small object in one request, atomically.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="content">Its bytes, a few MiB at most.</param>
    /// <param name="attributes">Its recorded attributes and its checksums.</param>
    /// <param name="replaces">The version that may be replaced; null if no object may have the name.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudObjectExists: another object, or another version, is there.</exception>
    Task<ObjectInfo> PutAsync(string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation);

    /// <summary>Deletes an object; a missing one is no error.</summary>
    /// <returns>False if the service only hides it and keeps a version that can be restored.</returns>
    /// <exception cref="BackupException">CloudAccessDenied, CloudRefused: it may not be deleted yet, or this account may not delete it.</exception>
    Task<bool> DeleteAsync(string name, CancellationToken cancellation);

    /// <summary>Begins an upload in parts, which another process can resume.</summary>
    /// <returns>The upload's id. It can be as good as a credential, so it is kept only in private files and never shown.</returns>
    Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation);

    /// <summary>Returns the parts that have arrived; null if the service no longer knows the upload.</summary>
    /// <param name="name">The object.</param>
    /// <param name="uploadId">The upload.</param>
    /// <param name="length">The object's size in bytes.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation);

    /// <summary>Whether an arrived part certainly holds these bytes. If that is uncertain, it is sent again.</summary>
    bool Holds(UploadedPart part, ReadOnlySpan<byte> content);

    /// <summary>Sends one part, with its checksum.</summary>
    /// <param name="name">The object.</param>
    /// <param name="uploadId">The upload.</param>
    /// <param name="number">The part's number, from 1.</param>
    /// <param name="offset">The part's place in the object.</param>
    /// <param name="length">The object's size in bytes.</param>
    /// <param name="content">The part's bytes.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudUploadLost: the service no longer knows the upload.</exception>
    Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>
    /// Makes the object from its parts, unless an object has the name, and compares the service's checksum with that of the parts.
    /// </summary>
    /// <exception cref="BackupException">CloudObjectExists, CloudChecksumMismatch, CloudUploadLost.</exception>
    Task<ObjectInfo> CompleteUploadAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation);

    /// <summary>Cancels an upload and deletes its parts. An unknown upload is no error.</summary>
    Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation);

    /// <summary>
    /// Lists the uploads that were neither completed nor cancelled. If the service cannot list them, they expire by themselves,
    /// and this returns none.
    /// </summary>
    IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, CancellationToken cancellation);
}
