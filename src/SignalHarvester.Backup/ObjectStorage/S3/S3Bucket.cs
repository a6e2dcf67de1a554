using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>The bucket itself: whether it exists, and whether the store really means this bucket.</summary>
internal sealed class S3Bucket(StoreLocation location, StoreOptions options, S3Client client, S3Fault fault)
{
    private bool isSeen;

    /// <summary>Makes sure that the bucket exists.</summary>
    /// <param name="create">Whether a missing one is created.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudContainerNotFound, CloudAccessDenied.</exception>
    public async Task RequireAsync(bool create, CancellationToken cancellation)
    {
        if (await HasBucketAsync(cancellation).ConfigureAwait(false))
        {
            return;
        }

        if (!create)
        {
            throw fault.Store.ContainerNotFound(null);
        }

        _ = await client.RunAsync("creating the bucket", null, async (s3, stop) =>
        {
            try
            {
                // A bucket without the lock accepts no locked objects, and on older services it can never get one.
                return await s3.PutBucketAsync(
                    new PutBucketRequest { BucketName = location.Container, ObjectLockEnabledForBucket = options.ImmutableFor is not null }, stop)
                    .ConfigureAwait(false);
            }
            catch (AmazonS3Exception exception) when (exception.ErrorCode == "BucketAlreadyOwnedByYou")
            {
                // Another process made it in between.
                return null;
            }
        }, cancellation).ConfigureAwait(false);
        isSeen = true;
    }

    /// <summary>Makes sure that the bucket exists, unless it was seen before.</summary>
    /// <exception cref="BackupException">CloudContainerNotFound, CloudAccessDenied.</exception>
    public Task RequireSeenAsync(CancellationToken cancellation) => isSeen ? Task.CompletedTask : RequireAsync(create: false, cancellation);

    private async Task<bool> HasBucketAsync(CancellationToken cancellation) =>
        isSeen |= await client.RunAsync("looking for the bucket", null, async (s3, stop) =>
    {
        try
        {
            _ = await s3.HeadBucketAsync(new HeadBucketRequest { BucketName = location.Container }, stop).ConfigureAwait(false);
            if (!client.IsAws && !location.UsePathStyle)
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
    /// A store without host names for buckets takes the first part of a path for the bucket. It confirms the HEAD of any bucket, and
    /// objects would go into a bucket with the prefix's name, or into new ones.
    /// </summary>
    private async Task RequireOwnHostAsync(AmazonS3Client s3, CancellationToken cancellation)
    {
        try
        {
            RequireListing(await s3.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = location.Container, Prefix = location.Prefix, MaxKeys = 1 }, cancellation).ConfigureAwait(false));
        }
        catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.Forbidden)
        {
            // A refusal to list the bucket shows that the store understood which bucket was meant.
        }
    }

    /// <summary>Refuses a list of all buckets, which names no bucket of its own: it must not look like a bucket without objects.</summary>
    /// <exception cref="BackupException">CloudRefused.</exception>
    public void RequireListing(ListObjectsV2Response page)
    {
        if (string.IsNullOrEmpty(page.Name))
        {
            throw fault.Store.Refused(
                "the bucket's name as part of the host's",
                location.UsePathStyle
                    ? "the answer is not a list of objects; check -Endpoint"
                    : "the answer is not a list of objects. Most stores other than Amazon's need -PathStyle",
                null);
        }
    }
}
