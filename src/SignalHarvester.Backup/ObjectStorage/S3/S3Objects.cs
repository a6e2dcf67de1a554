using System.Net;
using System.Runtime.InteropServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>Single objects: finding one by its name, comparing it with what was sent, and deleting it.</summary>
internal sealed class S3Objects(StoreLocation location, S3Client client, S3Fault fault, S3Bucket bucket)
{
    /// <summary>Returns what is known about an object, including its attributes; null if there is none.</summary>
    public async Task<ObjectInfo?> FindAsync(string name, CancellationToken cancellation) =>
        await HeadAsync(name, cancellation).ConfigureAwait(false) is { } head ? InfoOf(name, head) : null;

    /// <summary>Returns the answer to a HEAD; null if there is no object.</summary>
    /// <exception cref="BackupException">CloudContainerNotFound, and the other Cloud… errors.</exception>
    public async Task<GetObjectMetadataResponse?> HeadAsync(string name, CancellationToken cancellation)
    {
        var head = await client.RunAsync($"looking for '{name}'", name, async (s3, stop) =>
        {
            try
            {
                return await s3.GetObjectMetadataAsync(
                    new GetObjectMetadataRequest
                    {
                        BucketName = location.Container,
                        Key = location.Prefix + name,
                        ChecksumMode = client.IsAws ? ChecksumMode.ENABLED : null,
                    },
                    stop).ConfigureAwait(false);
            }
            catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }
        }, cancellation).ConfigureAwait(false);

        // The answer to a HEAD does not distinguish a missing object from a missing bucket.
        if (head is null)
        {
            await bucket.RequireSeenAsync(cancellation).ConfigureAwait(false);
        }

        return head;
    }

    /// <summary>Deletes an object; a missing one is no error.</summary>
    /// <returns>False if a version of it is kept.</returns>
    public async Task<bool> DeleteAsync(string name, CancellationToken cancellation)
    {
        var response = await client.RunAsync(
            $"deleting '{name}'", name,
            (s3, stop) => s3.DeleteObjectAsync(new DeleteObjectRequest { BucketName = location.Container, Key = location.Prefix + name }, stop), cancellation)
            .ConfigureAwait(false);

        // In a bucket with versions a deletion is one more version, which hides the others.
        return response.DeleteMarker != "true";
    }

    /// <summary>
    /// Finds the object that we wanted to make, in case it exists: the first attempt of a request made it and its answer was lost,
    /// or another machine sent the same content. Null if there is something else, or nothing.
    /// </summary>
    public async Task<ObjectInfo?> FindOwnAsync(string name, long length, ObjectAttributes attributes, CancellationToken cancellation) =>
        await FindAsync(name, cancellation).ConfigureAwait(false) is { } there && there.Length == length && there.Sha256 == attributes.Sha256 ? there : null;

    /// <summary>
    /// Deletes an object that arrived damaged, and returns the error of it: its name and its SHA-256 would make it
    /// look like a good copy.
    /// </summary>
    public async Task<BackupException> DiscardDamagedAsync(string name)
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

        return fault.Store.ChecksumMismatch(
            name,
            kept is null
                ? "the received data differs from the sent data; it was deleted"
                : "the received data differs from the sent data, and could not be deleted",
            kept);
    }

    /// <summary>Describes an object from the answer to a HEAD.</summary>
    public static ObjectInfo InfoOf(string name, GetObjectMetadataResponse head)
    {
        var tag = S3Checksum.Tag(head.ETag);
        return new ObjectInfo(name, head.ContentLength, tag, Utc(head.LastModified))
        {
            Checksum = S3Checksum.OfObject(tag, head.ChecksumCRC64NVME, head.ServerSideEncryptionMethod),
            Sha256 = head.Metadata[ObjectAttributes.Sha256Entry],
        };
    }

    /// <summary>Converts a moment of the SDK.</summary>
    public static DateTimeOffset Utc(DateTime? moment) => new(moment?.ToUniversalTime() ?? DateTime.UnixEpoch);

    /// <summary>Returns the original form of a text in a listing.</summary>
    public static string Unescape(string escaped) => Uri.UnescapeDataString(escaped.Replace('+', ' '));

    /// <summary>Returns the name for a key of a listing.</summary>
    /// <exception cref="BackupException">CloudRefused: the key was not requested.</exception>
    public string NameOf(string escapedKey) => fault.Store.NameOf(Unescape(escapedKey));

    /// <summary>Wraps bytes for the SDK without copying them.</summary>
    public static MemoryStream StreamOf(ReadOnlyMemory<byte> content) =>
        MemoryMarshal.TryGetArray(content, out var segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(content.ToArray(), writable: false);
}
