using System.Buffers.Binary;
using System.Security.Cryptography;

namespace SignalHarvester.Backup.ObjectStorage.Azure;

/// <summary>
/// The ids of blocks. Azure keeps the blocks of everybody who sends to a name together until one of them makes the blob, and
/// reports only the id and size of a block. So the id contains everything: the upload, the part's number, and a hash of the
/// content. All ids have the same length, as Azure demands.
/// </summary>
internal static class AzureBlock
{
    private const int HashBytes = 16;
    private const int ContentAt = sizeof(int) + HashBytes;
    private const int IdBytes = ContentAt + HashBytes;

    /// <summary>
    /// Returns the id of an upload. Uploads of the same content have the same id, and an upload of another content
    /// never gets its blocks.
    /// </summary>
    /// <param name="sha256">The SHA-256 of the content, in hex.</param>
    public static string UploadId(string sha256) => sha256[..(2 * HashBytes)];

    /// <summary>Returns the id of a block.</summary>
    /// <param name="uploadId">The upload.</param>
    /// <param name="number">The part's number, from 1.</param>
    /// <param name="content">The part's bytes.</param>
    public static string Id(string uploadId, int number, ReadOnlySpan<byte> content)
    {
        Span<byte> id = stackalloc byte[IdBytes];
        BinaryPrimitives.WriteInt32BigEndian(id, number);
        Convert.FromHexString(uploadId).CopyTo(id[sizeof(int)..]);
        Hash(content).CopyTo(id[ContentAt..]);
        return Convert.ToBase64String(id);
    }

    /// <summary>Returns the part in a block; null if it belongs to another upload, or is not ours.</summary>
    /// <param name="id">The block's id.</param>
    /// <param name="length">The block's size in bytes.</param>
    /// <param name="uploadId">The upload.</param>
    public static UploadedPart? Part(string id, long length, string uploadId)
    {
        Span<byte> bytes = stackalloc byte[IdBytes];
        return Convert.TryFromBase64String(id, bytes, out var written) && written == IdBytes
            && Convert.ToHexStringLower(bytes[sizeof(int)..ContentAt]) == uploadId
            ? new UploadedPart(BinaryPrimitives.ReadInt32BigEndian(bytes), length, id)
            : null;
    }

    /// <summary>Whether a block holds these bytes.</summary>
    public static bool Holds(string id, ReadOnlySpan<byte> content) =>
        Convert.FromBase64String(id).AsSpan(ContentAt).SequenceEqual(Hash(content));

    private static ReadOnlySpan<byte> Hash(ReadOnlySpan<byte> content) => SHA256.HashData(content).AsSpan(0, HashBytes);
}
