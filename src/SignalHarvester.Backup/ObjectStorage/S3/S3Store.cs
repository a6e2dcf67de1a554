using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>A bucket of Amazon S3, or of a store with the same protocol.</summary>
internal sealed class S3Store : IObjectStore
{
    private const long SmallestPart = 8L << 20;
    private const long MostParts = 10_000;
    private const long LargestObject = 5L << 40;

    private readonly StoreOptions options;
    private readonly S3Fault fault;
    private readonly S3Client client;
    private readonly S3Bucket bucket;
    private readonly S3Objects objects;
    private readonly S3Uploads uploads;
    private readonly S3StorageSettings storage;

    /// <summary>Makes a store, without contacting it.</summary>
    /// <param name="location">The bucket.</param>
    /// <param name="options">Its options.</param>
    /// <exception cref="BackupException">CloudRefused: the endpoint is invalid.</exception>
    public S3Store(StoreLocation location, StoreOptions options)
    {
        Location = location;
        this.options = options;
        fault = new S3Fault(location, options);
        client = new S3Client(location, options, fault);
        bucket = new S3Bucket(location, options, client, fault);
        objects = new S3Objects(location, client, fault, bucket);
        uploads = new S3Uploads(location, options, client, fault, objects);
        storage = new S3StorageSettings(options);
    }

    /// <inheritdoc/>
    public StoreLocation Location { get; }

    /// <inheritdoc/>
    public int MostParallelParts => 4;

    /// <inheritdoc/>
    public StoreOptions Options => options;

    /// <summary>
    /// AWS keeps a CRC-64/NVME of every object, and makes none if the CRC differs from the one sent. Other stores keep MD5s, of each
    /// part and of the parts' MD5s, which need no checksum of the whole.
    /// </summary>
    public ContentChecksums Checksums => client.IsAws ? ContentChecksums.Crc64Nvme : ContentChecksums.None;

    /// <inheritdoc/>
    public string UrlOf(string name) => Location + name;

    /// <inheritdoc/>
    public long PartSize(long length)
    {
        if (length > LargestObject)
        {
            throw fault.Store.Refused($"an object of {length / (1L << 30)} GiB", "S3 allows at most 5 TiB", null);
        }

        const long step = 1L << 20;
        return Math.Max(SmallestPart, ((length / MostParts) + step) / step * step);
    }

    /// <inheritdoc/>
    public Task RequireContainerAsync(bool create, CancellationToken cancellation) => bucket.RequireAsync(create, cancellation);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // Escaped, because a name may have characters that XML cannot hold.
        var request = new ListObjectsV2Request { BucketName = Location.Container, Prefix = Location.Prefix + beginning, Encoding = EncodingType.Url };
        do
        {
            var page =
                await client.RunAsync("listing the objects", null, (s3, stop) => s3.ListObjectsV2Async(request, stop), cancellation).ConfigureAwait(false);
            bucket.RequireListing(page);
            foreach (var found in page.S3Objects ?? [])
            {
                // The prefix itself can be an object, which consoles make for an empty folder.
                if (objects.NameOf(found.Key) is { Length: > 0 } name)
                {
                    yield return new ObjectInfo(name, found.Size ?? 0, S3Checksum.Tag(found.ETag), S3Objects.Utc(found.LastModified));
                }
            }

            request.ContinuationToken = page.NextContinuationToken;
        }
        while (!string.IsNullOrEmpty(request.ContinuationToken));
    }

    /// <inheritdoc/>
    public Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation) => objects.FindAsync(name, cancellation);

    /// <inheritdoc/>
    public async Task ReadAsync(ObjectInfo version, long offset, Memory<byte> destination, CancellationToken cancellation)
    {
        for (int done = 0, failures = 0; done < destination.Length;)
        {
            var before = done;
            try
            {
                using var response = await GetAsync(version, offset + done, offset + destination.Length - 1, cancellation).ConfigureAwait(false);
                for (int read; done < destination.Length; done += read)
                {
                    read = await response.ResponseStream.ReadAsync(destination[done..], cancellation).ConfigureAwait(false);
                    if (read == 0)
                    {
                        throw new EndOfStreamException("the answer ended early");
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException)
            {
                // The SDK retries a request, but not the reading of its answer. That continues where it stopped.
                failures = done > before ? 1 : failures + 1;
                if (failures > options.MostRetries)
                {
                    throw fault.Store.Unavailable($"reading '{version.Name}'", exception.Message, exception);
                }

                await Task.Delay(TimeSpan.FromSeconds(Random.Shared.NextDouble() * Math.Min(20, 0.5 * (1 << Math.Min(failures, 10)))), cancellation)
                    .ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo> PutAsync(
        string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation)
    {
        var request = new PutObjectRequest
        {
            BucketName = Location.Container,
            Key = Location.Prefix + name,
            InputStream = S3Objects.StreamOf(content),
            UseChunkEncoding = options.UseTrailingChecksums,
            ContentType = attributes.ContentType,
            IfNoneMatch = replaces is null ? "*" : null,

            // Without quotes: with them Ceph finds no match, and AWS accepts both forms.
            IfMatch = replaces is null ? null : S3Checksum.Tag(replaces.Version),
            StorageClass = storage.StorageClass,
            ServerSideEncryptionMethod = storage.Encryption,
            ServerSideEncryptionKeyManagementServiceKeyId = storage.EncryptionKey,
            ObjectLockMode = storage.LockMode,
            ObjectLockRetainUntilDate = storage.LockedUntil,
        };
        request.Metadata.Add(ObjectAttributes.Sha256Entry, attributes.Sha256);
        if (client.IsAws)
        {
            request.ChecksumCRC64NVME = S3Checksum.Text(attributes.Crc64Nvme ?? S3Checksum.Crc64Nvme(content.Span));
        }

        var md5 = S3Checksum.Md5(content.Span);
        if (client.SendsMd5)
        {
            request.MD5Digest = Convert.ToBase64String(md5);
        }

        PutObjectResponse response;
        try
        {
            response = await client.RunAsync($"storing '{name}'", name, (s3, stop) => s3.PutObjectAsync(request, stop), cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudObjectExists)
        {
            if (await objects.FindOwnAsync(name, content.Length, attributes, cancellation).ConfigureAwait(false) is { } own)
            {
                return own;
            }

            throw;
        }

        var tag = S3Checksum.Tag(response.ETag);
        if (!client.IsAws && S3Checksum.IsMd5(tag, response.ServerSideEncryptionMethod) && tag != Convert.ToHexStringLower(md5))
        {
            throw await objects.DiscardDamagedAsync(name).ConfigureAwait(false);
        }

        var made = await FindAsync(name, cancellation).ConfigureAwait(false);
        return made is not null && made.Version == tag && made.Length == content.Length ? made : throw fault.Store.ObjectChanged(name, null);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string name, CancellationToken cancellation) => objects.DeleteAsync(name, cancellation);

    /// <inheritdoc/>
    public Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation) =>
        uploads.BeginAsync(name, length, attributes, cancellation);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation) =>
        uploads.FindPartsAsync(name, uploadId, length, cancellation);

    /// <inheritdoc/>
    public bool Holds(UploadedPart part, ReadOnlySpan<byte> content) => part.Length == content.Length && S3Checksum.Matches(part.Checksum, content);

    /// <inheritdoc/>
    public Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        uploads.PutPartAsync(name, uploadId, number, offset, length, content, cancellation);

    /// <inheritdoc/>
    public Task<ObjectInfo> CompleteUploadAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation) =>
        uploads.CompleteAsync(name, uploadId, length, parts, attributes, cancellation);

    /// <inheritdoc/>
    public Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation) => uploads.AbortAsync(name, uploadId, cancellation);

    /// <inheritdoc/>
    public IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, CancellationToken cancellation) =>
        uploads.PendingAsync(beginning, cancellation);

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<GetObjectResponse> GetAsync(ObjectInfo version, long first, long last, CancellationToken cancellation)
    {
        var response = await client.RunAsync($"reading '{version.Name}'", version.Name, async (s3, stop) =>
        {
            try
            {
                return await s3.GetObjectAsync(new GetObjectRequest
                {
                    BucketName = Location.Container,
                    Key = Location.Prefix + version.Name,
                    ByteRange = new ByteRange(first, last),
                    EtagToMatch = $"\"{S3Checksum.Tag(version.Version)}\"",
                }, stop).ConfigureAwait(false);
            }
            catch (AmazonS3Exception exception) when (exception.ErrorCode == "NoSuchKey"
                || exception.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                throw fault.Store.ObjectChanged(version.Name, exception);
            }
        }, cancellation).ConfigureAwait(false);

        if (S3Checksum.Tag(response.ETag) == version.Version && response.ContentLength == last - first + 1)
        {
            return response;
        }

        // The service ignores the condition.
        response.Dispose();
        throw fault.Store.ObjectChanged(version.Name, null);
    }
}
