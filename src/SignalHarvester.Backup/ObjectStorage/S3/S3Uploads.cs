using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>Uploads in parts.</summary>
internal sealed class S3Uploads(StoreLocation location, StoreOptions options, S3Client client, S3Fault fault, S3Objects objects)
{
    private readonly S3StorageSettings storage = new(options);

    /// <inheritdoc cref="IObjectStore.BeginUploadAsync"/>
    public async Task<string> BeginAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation)
    {
        if (options.ImmutableFor is not null && !client.IsAws)
        {
            // If a bucket has no lock, AWS refuses; Ceph would silently make the object without one.
            _ = await client.RunAsync("locking objects", name, (s3, stop) => s3.GetObjectLockConfigurationAsync(
                new GetObjectLockConfigurationRequest { BucketName = location.Container }, stop), cancellation).ConfigureAwait(false);
        }

        var request = new InitiateMultipartUploadRequest
        {
            BucketName = location.Container,
            Key = location.Prefix + name,
            ContentType = attributes.ContentType,
            ChecksumAlgorithm = client.IsAws ? ChecksumAlgorithm.CRC64NVME : options.UseTrailingChecksums ? ChecksumAlgorithm.CRC32 : null,
            ChecksumType = client.IsAws ? ChecksumType.FULL_OBJECT : null,
            StorageClass = storage.StorageClass,
            ServerSideEncryptionMethod = storage.Encryption,
            ServerSideEncryptionKeyManagementServiceKeyId = storage.EncryptionKey,
            ObjectLockMode = storage.LockMode,
            ObjectLockRetainUntilDate = storage.LockedUntil,
        };
        request.Metadata.Add(ObjectAttributes.Sha256Entry, attributes.Sha256);
        var response = await client.RunAsync(
            $"beginning the upload of '{name}'", name, (s3, stop) => s3.InitiateMultipartUploadAsync(request, stop), cancellation).ConfigureAwait(false);
        return response.UploadId;
    }

    /// <inheritdoc cref="IObjectStore.FindPartsAsync"/>
    public async Task<IReadOnlyList<UploadedPart>?> FindPartsAsync(string name, string uploadId, long length, CancellationToken cancellation)
    {
        var request = new ListPartsRequest { BucketName = location.Container, Key = location.Prefix + name, UploadId = uploadId };
        var parts = new List<UploadedPart>();
        try
        {
            ListPartsResponse page;
            do
            {
                page = await RunUploadAsync($"listing the parts of '{name}'", name, (s3, stop) => s3.ListPartsAsync(request, stop), cancellation)
                    .ConfigureAwait(false);
                foreach (var part in page.Parts ?? [])
                {
                    var tag = S3Checksum.Tag(part.ETag);
                    parts.Add(new UploadedPart(
                        part.PartNumber ?? 0, part.Size ?? 0, tag, S3Checksum.OfPart(tag, part.ChecksumCRC64NVME, part.ChecksumCRC32, encryption: null)));
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

    /// <inheritdoc cref="IObjectStore.PutPartAsync"/>
    public async Task<UploadedPart> PutPartAsync(
        string name, string uploadId, int number, long offset, long length, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var request = new UploadPartRequest
        {
            BucketName = location.Container,
            Key = location.Prefix + name,
            UploadId = uploadId,
            PartNumber = number,
            PartSize = content.Length,
            InputStream = S3Objects.StreamOf(content),
            UseChunkEncoding = options.UseTrailingChecksums,
        };
        var crc64Nvme = client.IsAws ? S3Checksum.Text(S3Checksum.Crc64Nvme(content.Span)) : null;
        var md5 = client.IsAws ? null : S3Checksum.Md5(content.Span);
        request.ChecksumCRC64NVME = crc64Nvme;
        if (client.SendsMd5)
        {
            request.MD5Digest = Convert.ToBase64String(md5!);
        }

        var response =
            await RunUploadAsync($"sending a part of '{name}'", name, (s3, stop) => s3.UploadPartAsync(request, stop), cancellation).ConfigureAwait(false);
        var tag = S3Checksum.Tag(response.ETag);
        if ((crc64Nvme is not null && response.ChecksumCRC64NVME is { } told && told != crc64Nvme)
            || (md5 is not null && S3Checksum.IsMd5(tag, response.ServerSideEncryptionMethod) && tag != Convert.ToHexStringLower(md5)))
        {
            throw fault.Store.ChecksumMismatch(name, "the received data differs from the sent data");
        }

        return new UploadedPart(
            number, content.Length, tag, S3Checksum.OfPart(tag, response.ChecksumCRC64NVME, response.ChecksumCRC32, response.ServerSideEncryptionMethod));
    }

    /// <inheritdoc cref="IObjectStore.CompleteUploadAsync"/>
    public async Task<ObjectInfo> CompleteAsync(
        string name, string uploadId, long length, IReadOnlyList<UploadedPart> parts, ObjectAttributes attributes, CancellationToken cancellation)
    {
        // AWS obeys the condition below. Ceph and others ignore it and let the last writer win, so they are asked first. That leaves
        // only the moment between the two requests, and only for somebody who sends other content under the same name.
        if (await objects.HeadAsync(name, cancellation).ConfigureAwait(false) is not null)
        {
            return await TakeExistingAsync(fault.Store.ObjectExists(name, null)).ConfigureAwait(false);
        }

        var request = new CompleteMultipartUploadRequest
        {
            BucketName = location.Container,
            Key = location.Prefix + name,
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
            _ = await RunUploadAsync($"completing the upload of '{name}'", name, (s3, stop) => s3.CompleteMultipartUploadAsync(request, stop), cancellation)
                .ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.CloudObjectExists or BackupErrorId.CloudUploadLost)
        {
            return await TakeExistingAsync(exception).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudUnavailable)
        {
            // For an upload that Ceph does not know, or has completed before, it reports an internal error.
            var isKnown = await FindPartsAsync(name, uploadId, length, cancellation).ConfigureAwait(false) is not null;
            return await TakeExistingAsync(isKnown ? exception : fault.Store.UploadLost(name, exception)).ConfigureAwait(false);
        }

        var made = await objects.HeadAsync(name, cancellation).ConfigureAwait(false) ?? throw fault.Store.ObjectChanged(name, null);
        if (made.ContentLength != length || S3Checksum.Contradicts(made, attributes.Crc64Nvme, parts))
        {
            throw await objects.DiscardDamagedAsync(name).ConfigureAwait(false);
        }

        if (options.ImmutableFor is not null && !client.IsAws)
        {
            await LockAsync(name, made.VersionId, cancellation).ConfigureAwait(false);
        }

        return S3Objects.InfoOf(name, made);

        async Task<ObjectInfo> TakeExistingAsync(BackupException error)
        {
            var own = await objects.FindOwnAsync(name, length, attributes, cancellation).ConfigureAwait(false) ?? throw error;
            await AbortAsync(name, uploadId, cancellation).ConfigureAwait(false);
            return own;
        }
    }

    /// <inheritdoc cref="IObjectStore.AbortUploadAsync"/>
    public async Task AbortAsync(string name, string uploadId, CancellationToken cancellation)
    {
        try
        {
            _ = await RunUploadAsync(
                $"cancelling the upload of '{name}'",
                name,
                (s3, stop) => s3.AbortMultipartUploadAsync(
                    new AbortMultipartUploadRequest { BucketName = location.Container, Key = location.Prefix + name, UploadId = uploadId }, stop),
                cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudUploadLost)
        {
            // It is already gone.
        }
    }

    /// <inheritdoc cref="IObjectStore.PendingUploadsAsync"/>
    public async IAsyncEnumerable<PendingUpload> PendingAsync(string beginning, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = new ListMultipartUploadsRequest { BucketName = location.Container, Prefix = location.Prefix + beginning, Encoding = EncodingType.Url };
        ListMultipartUploadsResponse page;
        do
        {
            page = await client.RunAsync("listing the unfinished uploads", null, (s3, stop) => s3.ListMultipartUploadsAsync(request, stop), cancellation)
                .ConfigureAwait(false);
            foreach (var upload in page.MultipartUploads ?? [])
            {
                // The next page begins after the last one. The page's own marker is escaped by some services and not by others.
                (request.KeyMarker, request.UploadIdMarker) = (S3Objects.Unescape(upload.Key), upload.UploadId);
                yield return new PendingUpload(objects.NameOf(upload.Key), upload.UploadId, S3Objects.Utc(upload.Initiated));
            }
        }
        while (page is { IsTruncated: true, MultipartUploads.Count: > 0 });
    }

    /// <summary>Locks an existing object: Ceph does not accept the lock with which an upload in parts begins.</summary>
    private async Task LockAsync(string name, string version, CancellationToken cancellation)
    {
        var request = new PutObjectRetentionRequest
        {
            BucketName = location.Container,
            Key = location.Prefix + name,
            VersionId = version,
            Retention = new ObjectLockRetention { Mode = ObjectLockRetentionMode.Compliance, RetainUntilDate = storage.LockedUntil },
        };
        _ = await client.RunAsync($"locking '{name}'", name, (s3, stop) => s3.PutObjectRetentionAsync(request, stop), cancellation).ConfigureAwait(false);
    }

    /// <summary>Sends a request for an upload. If some services do not know the upload, they say that the object is missing.</summary>
    private async Task<T> RunUploadAsync<T>(
        string action, string name, Func<AmazonS3Client, CancellationToken, Task<T>> request, CancellationToken cancellation)
    {
        try
        {
            return await client.RunAsync(action, name, request, cancellation).ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudObjectNotFound)
        {
            throw fault.Store.UploadLost(name, exception.InnerException);
        }
    }
}
