using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>A bucket of Amazon S3, or of a store that speaks its protocol.</summary>
internal sealed class S3Store : IObjectStore
{
    private const long SmallestPart = 8L << 20;
    private const long MostParts = 10_000;
    private const long LargestObject = 5L << 40;

    private readonly StoreOptions options;
    private readonly S3Fault fault;
    private readonly S3Client client;
    private bool bucketSeen;

    /// <summary>Makes a store; nothing is sent yet.</summary>
    /// <param name="location">The bucket.</param>
    /// <param name="options">How it is used.</param>
    /// <exception cref="BackupException">CloudRefused: the endpoint is none.</exception>
    public S3Store(CloudLocation location, StoreOptions options)
    {
        Location = location;
        this.options = options;
        fault = new S3Fault(location, options);
        client = new S3Client(location, options, fault);
    }

    /// <inheritdoc/>
    public CloudLocation Location { get; }

    /// <inheritdoc/>
    public int MostParallelParts => 4;

    /// <inheritdoc/>
    public StoreOptions Options => options;

    /// <summary>
    /// AWS keeps a CRC-64/NVME of every object, and makes none whose CRC is not the one sent. Other stores keep MD5s, of each
    /// part and of the parts' MD5s, which need no checksum of the whole.
    /// </summary>
    public ContentChecksums Checksums => client.IsAws ? ContentChecksums.Crc64Nvme : ContentChecksums.None;

    // With trailers the SDK sends CRC-32s, as AWS's own tools do, which all stores that know trailers know.
    private bool SendsMd5 => !client.IsAws && !options.UseTrailingChecksums;

    /// <inheritdoc/>
    public string UrlOf(string name) => Location + name;

    /// <inheritdoc/>
    public long PartSize(long length)
    {
        if (length > LargestObject)
        {
            throw fault.Cloud.Refused($"an object of {length / (1L << 30)} GiB", "S3 takes 5 TiB at most", null);
        }

        const long step = 1L << 20;
        return Math.Max(SmallestPart, ((length / MostParts) + step) / step * step);
    }

    /// <inheritdoc/>
    public async Task RequireContainerAsync(bool create, CancellationToken cancellation)
    {
        if (await HasBucketAsync(cancellation).ConfigureAwait(false))
        {
            return;
        }

        if (!create)
        {
            throw fault.Cloud.ContainerNotFound(null);
        }

        _ = await client.RunAsync("making the bucket", null, async (s3, stop) =>
        {
            try
            {
                // A bucket without the lock takes no locked objects, and older services never learn.
                return await s3.PutBucketAsync(new PutBucketRequest { BucketName = Location.Container, ObjectLockEnabledForBucket = options.ImmutableFor is not null }, stop).ConfigureAwait(false);
            }
            catch (AmazonS3Exception exception) when (exception.ErrorCode == "BucketAlreadyOwnedByYou")
            {
                // Made by another process in between.
                return null;
            }
        }, cancellation).ConfigureAwait(false);
        bucketSeen = true;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // Escaped, because a name may hold what XML cannot.
        var request = new ListObjectsV2Request { BucketName = Location.Container, Prefix = Location.Prefix + beginning, Encoding = EncodingType.Url };
        do
        {
            var page = await client.RunAsync("listing the objects", null, (s3, stop) => s3.ListObjectsV2Async(request, stop), cancellation).ConfigureAwait(false);
            RequireListing(page);
            foreach (var found in page.S3Objects ?? [])
            {
                // The prefix itself can be an object: what consoles make for an empty folder.
                if (NameOf(found.Key) is { Length: > 0 } name)
                {
                    yield return new ObjectInfo(name, found.Size ?? 0, S3Checksum.Tag(found.ETag), Utc(found.LastModified));
                }
            }

            request.ContinuationToken = page.NextContinuationToken;
        }
        while (!string.IsNullOrEmpty(request.ContinuationToken));
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation) =>
        await HeadAsync(name, cancellation).ConfigureAwait(false) is { } head ? InfoOf(name, head) : null;

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
                // The SDK tries a request again, but not the reading of its answer. It is gone on with where it stopped.
                failures = done > before ? 1 : failures + 1;
                if (failures > options.MostRetries)
                {
                    throw fault.Cloud.Unavailable($"reading '{version.Name}'", exception.Message, exception);
                }

                await Task.Delay(TimeSpan.FromSeconds(Random.Shared.NextDouble() * Math.Min(20, 0.5 * (1 << Math.Min(failures, 10)))), cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo> PutAsync(string name, ReadOnlyMemory<byte> content, ObjectAttributes attributes, ObjectInfo? replaces, CancellationToken cancellation)
    {
        var request = new PutObjectRequest
        {
            BucketName = Location.Container,
            Key = Location.Prefix + name,
            InputStream = StreamOf(content),
            UseChunkEncoding = options.UseTrailingChecksums,
            ContentType = attributes.ContentType,
            IfNoneMatch = replaces is null ? "*" : null,

            // Without quotes: with them Ceph finds no match, and AWS takes it either way.
            IfMatch = replaces is null ? null : S3Checksum.Tag(replaces.Version),
            StorageClass = StorageClass,
            ServerSideEncryptionMethod = Encryption,
            ServerSideEncryptionKeyManagementServiceKeyId = options.EncryptionKey,
            ObjectLockMode = LockMode,
            ObjectLockRetainUntilDate = LockedUntil,
        };
        request.Metadata.Add(ObjectAttributes.Sha256Entry, attributes.Sha256);
        if (client.IsAws)
        {
            request.ChecksumCRC64NVME = S3Checksum.Text(attributes.Crc64Nvme ?? S3Checksum.Crc64Nvme(content.Span));
        }

        var md5 = S3Checksum.Md5(content.Span);
        if (SendsMd5)
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
            if (await FindOwnAsync(name, content.Length, attributes, cancellation).ConfigureAwait(false) is { } own)
            {
                return own;
            }

            throw;
        }

        var tag = S3Checksum.Tag(response.ETag);
        if (!client.IsAws && S3Checksum.IsMd5(tag, response.ServerSideEncryptionMethod) && tag != Convert.ToHexStringLower(md5))
        {
            throw await SpoiltAsync(name).ConfigureAwait(false);
        }

        var made = await FindAsync(name, cancellation).ConfigureAwait(false);
        return made is not null && made.Version == tag && made.Length == content.Length ? made : throw fault.Cloud.ObjectChanged(name, null);
    }

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellation)
    {
        var response = await client.RunAsync(
            $"deleting '{name}'", name, (s3, stop) => s3.DeleteObjectAsync(new DeleteObjectRequest { BucketName = Location.Container, Key = Location.Prefix + name }, stop), cancellation).ConfigureAwait(false);

        // In a bucket with versions a deletion is one more version, which hides the others.
        return response.DeleteMarker != "true";
    }

    /// <inheritdoc/>
    public async Task<string> BeginUploadAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation)
    {
        if (options.ImmutableFor is not null && !client.IsAws)
        {
            // Where a bucket has no lock, AWS refuses; Ceph would make the object without one and say nothing.
            _ = await client.RunAsync("locking objects", name, (s3, stop) => s3.GetObjectLockConfigurationAsync(
                new GetObjectLockConfigurationRequest { BucketName = Location.Container }, stop), cancellation).ConfigureAwait(false);
        }

        var request = new InitiateMultipartUploadRequest
        {
            BucketName = Location.Container,
            Key = Location.Prefix + name,
            ContentType = attributes.ContentType,
            ChecksumAlgorithm = client.IsAws ? ChecksumAlgorithm.CRC64NVME : options.UseTrailingChecksums ? ChecksumAlgorithm.CRC32 : null,
            ChecksumType = client.IsAws ? ChecksumType.FULL_OBJECT : null,
            StorageClass = StorageClass,
            ServerSideEncryptionMethod = Encryption,
            ServerSideEncryptionKeyManagementServiceKeyId = options.EncryptionKey,
            ObjectLockMode = LockMode,
            ObjectLockRetainUntilDate = LockedUntil,
        };
        request.Metadata.Add(ObjectAttributes.Sha256Entry, attributes.Sha256);
        var response = await client.RunAsync($"beginning the upload of '{name}'", name, (s3, stop) => s3.InitiateMultipartUploadAsync(request, stop), cancellation).ConfigureAwait(false);
        return response.UploadId;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation)
    {
        var request = new ListPartsRequest { BucketName = Location.Container, Key = Location.Prefix + name, UploadId = uploadId };
        var parts = new List<UploadedPart>();
        try
        {
            ListPartsResponse page;
            do
            {
                page = await RunUploadAsync($"listing the parts of '{name}'", name, (s3, stop) => s3.ListPartsAsync(request, stop), cancellation).ConfigureAwait(false);
                foreach (var part in page.Parts ?? [])
                {
                    var tag = S3Checksum.Tag(part.ETag);
                    parts.Add(new UploadedPart(part.PartNumber ?? 0, part.Size ?? 0, tag, S3Checksum.OfPart(tag, part.ChecksumCRC64NVME, part.ChecksumCRC32, encryption: null)));
                }

                request.PartNumberMarker = page.NextPartNumberMarker?.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }
            while (page.IsTruncated == true);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudUploadLost)
        {
            return null;
        }

        return parts;
    }

    /// <inheritdoc/>
    public bool Holds(UploadedPart part, ReadOnlySpan<byte> content) => part.Length == content.Length && S3Checksum.Matches(part.Checksum, content);

    /// <inheritdoc/>
    public async Task<UploadedPart> PutPartAsync(string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var request = new UploadPartRequest
        {
            BucketName = Location.Container,
            Key = Location.Prefix + name,
            UploadId = uploadId,
            PartNumber = number,
            PartSize = content.Length,
            InputStream = StreamOf(content),
            UseChunkEncoding = options.UseTrailingChecksums,
        };
        var crc64Nvme = client.IsAws ? S3Checksum.Text(S3Checksum.Crc64Nvme(content.Span)) : null;
        var md5 = client.IsAws ? null : S3Checksum.Md5(content.Span);
        request.ChecksumCRC64NVME = crc64Nvme;
        if (SendsMd5)
        {
            request.MD5Digest = Convert.ToBase64String(md5!);
        }

        var response = await RunUploadAsync($"sending a part of '{name}'", name, (s3, stop) => s3.UploadPartAsync(request, stop), cancellation).ConfigureAwait(false);
        var tag = S3Checksum.Tag(response.ETag);
        if ((crc64Nvme is not null && response.ChecksumCRC64NVME is { } told && told != crc64Nvme)
            || (md5 is not null && S3Checksum.IsMd5(tag, response.ServerSideEncryptionMethod) && tag != Convert.ToHexStringLower(md5)))
        {
            throw fault.Cloud.ChecksumMismatch(name, "what arrived is not what was sent");
        }

        return new UploadedPart(number, content.Length, tag, S3Checksum.OfPart(tag, response.ChecksumCRC64NVME, response.ChecksumCRC32, response.ServerSideEncryptionMethod));
    }

    /// <inheritdoc/>
    public async Task<ObjectInfo> CompleteUploadAsync(string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation)
    {
        // AWS looks at the condition below. Ceph and others do not, and let the last one win: they are asked first. What remains
        // there is the moment between the two requests, and only for who sends other content under the same name.
        if (await HeadAsync(name, cancellation).ConfigureAwait(false) is not null)
        {
            return await TakeExistingAsync(fault.Cloud.ObjectExists(name, null)).ConfigureAwait(false);
        }

        var request = new CompleteMultipartUploadRequest
        {
            BucketName = Location.Container,
            Key = Location.Prefix + name,
            UploadId = uploadId,
            PartETags = [.. parts.Select(part => new PartETag { PartNumber = part.Number, ETag = part.Tag, ChecksumCRC32 = S3Checksum.Crc32Of(part) })],
            IfNoneMatch = "*",
        };
        if (client.IsAws && attributes.Crc64Nvme is { } whole)
        {
            request.ChecksumCRC64NVME = S3Checksum.Text(whole);
            request.ChecksumType = ChecksumType.FULL_OBJECT;
        }

        try
        {
            _ = await RunUploadAsync($"completing the upload of '{name}'", name, (s3, stop) => s3.CompleteMultipartUploadAsync(request, stop), cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.CloudObjectExists or BackupErrorId.CloudUploadLost)
        {
            return await TakeExistingAsync(exception).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudUnavailable)
        {
            // Of an upload that it does not know, or has completed before, Ceph says that it has an internal error.
            var isKnown = await FindPartsAsync(name, uploadId, length, cancellation).ConfigureAwait(false) is not null;
            return await TakeExistingAsync(isKnown ? exception : fault.Cloud.UploadLost(name, exception)).ConfigureAwait(false);
        }

        var made = await HeadAsync(name, cancellation).ConfigureAwait(false) ?? throw fault.Cloud.ObjectChanged(name, null);
        if (made.ContentLength != length || S3Checksum.Contradicts(made, attributes.Crc64Nvme, parts))
        {
            throw await SpoiltAsync(name).ConfigureAwait(false);
        }

        if (options.ImmutableFor is not null && !client.IsAws)
        {
            await LockAsync(name, made.VersionId, cancellation).ConfigureAwait(false);
        }

        return InfoOf(name, made);

        async Task<ObjectInfo> TakeExistingAsync(BackupException error)
        {
            var own = await FindOwnAsync(name, length, attributes, cancellation).ConfigureAwait(false) ?? throw error;
            await AbortUploadAsync(name, uploadId, cancellation).ConfigureAwait(false);
            return own;
        }
    }

    /// <inheritdoc/>
    public async Task AbortUploadAsync(string name, string uploadId, CancellationToken cancellation)
    {
        try
        {
            _ = await RunUploadAsync(
                $"giving up the upload of '{name}'",
                name,
                (s3, stop) => s3.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = Location.Container, Key = Location.Prefix + name, UploadId = uploadId }, stop),
                cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudUploadLost)
        {
            // It is gone already.
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<PendingUpload> PendingUploadsAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = new ListMultipartUploadsRequest { BucketName = Location.Container, Prefix = Location.Prefix + beginning, Encoding = EncodingType.Url };
        ListMultipartUploadsResponse page;
        do
        {
            page = await client.RunAsync("listing the unfinished uploads", null, (s3, stop) => s3.ListMultipartUploadsAsync(request, stop), cancellation).ConfigureAwait(false);
            foreach (var upload in page.MultipartUploads ?? [])
            {
                // The last one is where the next page goes on. What the page itself says of that is escaped by some and not by others.
                (request.KeyMarker, request.UploadIdMarker) = (Unescape(upload.Key), upload.UploadId);
                yield return new PendingUpload(NameOf(upload.Key), upload.UploadId, Utc(upload.Initiated));
            }
        }
        while (page is { IsTruncated: true, MultipartUploads.Count: > 0 });
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private S3StorageClass? StorageClass => options.StorageClass is { } name ? new S3StorageClass(name) : null;

    private ServerSideEncryptionMethod? Encryption => options.ServerSideEncryption is { } method ? new ServerSideEncryptionMethod(method) : null;

    /// <summary>Locks an object that is there: Ceph does not take the lock that an upload in parts begins with.</summary>
    private async Task LockAsync(string name, string version, CancellationToken cancellation)
    {
        var request = new PutObjectRetentionRequest
        {
            BucketName = Location.Container,
            Key = Location.Prefix + name,
            VersionId = version,
            Retention = new ObjectLockRetention { Mode = ObjectLockRetentionMode.Compliance, RetainUntilDate = LockedUntil },
        };
        _ = await client.RunAsync($"locking '{name}'", name, (s3, stop) => s3.PutObjectRetentionAsync(request, stop), cancellation).ConfigureAwait(false);
    }

    // GOVERNANCE can be lifted by whoever has the permission, and so by who stole the key of an administrator. COMPLIANCE by nobody,
    // not even the account's owner.
    private ObjectLockMode? LockMode => options.ImmutableFor is null ? null : ObjectLockMode.Compliance;

    private DateTime? LockedUntil => options.ImmutableFor is { } time ? DateTime.UtcNow + time : null;

    private static ObjectInfo InfoOf(string name, GetObjectMetadataResponse head)
    {
        var tag = S3Checksum.Tag(head.ETag);
        return new ObjectInfo(name, head.ContentLength, tag, Utc(head.LastModified))
        {
            Checksum = S3Checksum.OfObject(tag, head.ChecksumCRC64NVME, head.ServerSideEncryptionMethod),
            Sha256 = head.Metadata[ObjectAttributes.Sha256Entry],
        };
    }

    private static DateTimeOffset Utc(DateTime? moment) => new(moment?.ToUniversalTime() ?? DateTime.UnixEpoch);

    private static string Unescape(string escaped) => Uri.UnescapeDataString(escaped.Replace('+', ' '));

    private static MemoryStream StreamOf(ReadOnlyMemory<byte> content) =>
        MemoryMarshal.TryGetArray(content, out var segment) ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false) : new MemoryStream(content.ToArray(), writable: false);

    private string NameOf(string escapedKey) => Unescape(escapedKey)[Location.Prefix.Length..];

    /// <summary>Does something with an upload that was begun. Some services say that the object is missing when they do not know the upload.</summary>
    private async Task<T> RunUploadAsync<T>(string action, string name, Func<AmazonS3Client, CancellationToken, Task<T>> request, CancellationToken cancellation)
    {
        try
        {
            return await client.RunAsync(action, name, request, cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudObjectNotFound)
        {
            throw fault.Cloud.UploadLost(name, exception.InnerException);
        }
    }

    private async Task<bool> HasBucketAsync(CancellationToken cancellation) => bucketSeen |= await client.RunAsync("looking for the bucket", null, async (s3, stop) =>
    {
        try
        {
            _ = await s3.HeadBucketAsync(new HeadBucketRequest { BucketName = Location.Container }, stop).ConfigureAwait(false);
            if (!client.IsAws && !Location.UsePathStyle)
            {
                await RequireOwnHostAsync(s3, stop).ConfigureAwait(false);
            }

            return true;
        }
        catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }, cancellation).ConfigureAwait(false);

    /// <summary>
    /// A store that knows no host names of buckets takes the first part of a path for the bucket: it says yes to the HEAD of
    /// any bucket, and objects would go into whatever bucket has the prefix's name, or make new ones.
    /// </summary>
    private async Task RequireOwnHostAsync(AmazonS3Client s3, CancellationToken cancellation)
    {
        try
        {
            RequireListing(await s3.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = Location.Container, Prefix = Location.Prefix, MaxKeys = 1 }, cancellation).ConfigureAwait(false));
        }
        catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.Forbidden)
        {
            // Who may not list the bucket was understood to mean it.
        }
    }

    /// <summary>A list of all buckets, which names none as its own, must not be taken for a bucket without objects.</summary>
    private void RequireListing(ListObjectsV2Response page)
    {
        if (string.IsNullOrEmpty(page.Name))
        {
            throw fault.Cloud.Refused(
                "the bucket's name as part of the host's",
                Location.UsePathStyle ? "the answer is no list of objects; check -Endpoint" : "the answer is no list of objects. Most stores other than Amazon's need -PathStyle",
                null);
        }
    }

    private async Task<GetObjectMetadataResponse?> HeadAsync(string name, CancellationToken cancellation)
    {
        var head = await client.RunAsync($"looking for '{name}'", name, async (s3, stop) =>
        {
            try
            {
                return await s3.GetObjectMetadataAsync(
                    new GetObjectMetadataRequest { BucketName = Location.Container, Key = Location.Prefix + name, ChecksumMode = client.IsAws ? ChecksumMode.ENABLED : null }, stop).ConfigureAwait(false);
            }
            catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }
        }, cancellation).ConfigureAwait(false);

        // The answer to a HEAD does not tell a missing object from a missing bucket.
        if (head is null && !bucketSeen)
        {
            await RequireContainerAsync(create: false, cancellation).ConfigureAwait(false);
        }

        return head;
    }

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
                throw fault.Cloud.ObjectChanged(version.Name, exception);
            }
        }, cancellation).ConfigureAwait(false);

        if (S3Checksum.Tag(response.ETag) == version.Version && response.ContentLength == last - first + 1)
        {
            return response;
        }

        // A service that does not look at the condition.
        response.Dispose();
        throw fault.Cloud.ObjectChanged(version.Name, null);
    }

    /// <summary>
    /// What was to be made, where it is there: the first try of a request whose answer was lost, or another machine's
    /// same content. Null where there is something else, or nothing.
    /// </summary>
    private async Task<ObjectInfo?> FindOwnAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation) =>
        await FindAsync(name, cancellation).ConfigureAwait(false) is { } there && there.Length == length && there.Sha256 == attributes.Sha256 ? there : null;

    /// <summary>The error of an object that arrived damaged. It is taken away: its name and its SHA-256 would pass it for a good copy.</summary>
    private async Task<BackupException> SpoiltAsync(string name)
    {
        BackupException? kept = null;
        try
        {
            _ = await DeleteAsync(name, CancellationToken.None).ConfigureAwait(false);
        }
        catch (BackupException exception)
        {
            kept = exception;
        }

        return fault.Cloud.ChecksumMismatch(name, kept is null ? "what arrived is not what was sent; it was deleted" : "what arrived is not what was sent, and it could not be deleted", kept);
    }
}
