using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>The checksums of S3, in the forms in which it reports them.</summary>
internal static class S3Checksum
{
    private const string Md5Name = "md5:";
    private const string Crc32Name = "crc32:";
    private const string Crc64NvmeName = "crc64nvme:";
    private const string TagName = "etag:";

    /// <summary>Returns an ETag without its quotes.</summary>
    public static string Tag(string? given) => given?.Trim('"') ?? string.Empty;

    /// <summary>Returns the checksum of an object: the best one that the service reports.</summary>
    /// <param name="tag">Its ETag.</param>
    /// <param name="crc64Nvme">Its CRC-64/NVME; null if there is none.</param>
    /// <param name="encryption">How the service encrypts it.</param>
    public static string OfObject(string tag, string? crc64Nvme, ServerSideEncryptionMethod? encryption) =>
        crc64Nvme is not null ? Crc64NvmeName + crc64Nvme : IsMd5(tag, encryption) ? Md5Name + tag : TagName + tag;

    /// <summary>Returns the checksum of a part; null if the service reports none.</summary>
    /// <param name="tag">Its ETag.</param>
    /// <param name="crc64Nvme">Its CRC-64/NVME; null if there is none.</param>
    /// <param name="crc32">Its CRC-32; null if there is none.</param>
    /// <param name="encryption">How the service encrypts it; null if unknown.</param>
    public static string? OfPart(string tag, string? crc64Nvme, string? crc32, ServerSideEncryptionMethod? encryption) =>
        crc64Nvme is not null ? Crc64NvmeName + crc64Nvme
        : crc32 is not null ? Crc32Name + crc32
        : IsMd5(tag, encryption) ? Md5Name + tag : null;

    /// <summary>Returns the CRC-32 of a part; null if it was sent without one.</summary>
    public static string? Crc32Of(UploadedPart part) =>
        part.Checksum is { } checksum && checksum.StartsWith(Crc32Name, StringComparison.Ordinal) ? checksum[Crc32Name.Length..] : null;

    /// <summary>Whether content matches a checksum; false if there is none.</summary>
    public static bool Matches(string? checksum, ReadOnlySpan<byte> content) =>
        checksum is not null && checksum == checksum[..(checksum.IndexOf(':', StringComparison.Ordinal) + 1)] switch
        {
            Md5Name => Md5Name + Convert.ToHexStringLower(Md5(content)),
            Crc32Name => Crc32Name + Text(Crc32.HashToUInt32(content)),
            Crc64NvmeName => Crc64NvmeName + Text(Crc64Nvme(content)),
            _ => null,
        };

    /// <summary>Whether the service's checksum of an object can be compared with what was sent, and differs.</summary>
    /// <param name="made">The object's head.</param>
    /// <param name="crc64Nvme">The CRC-64/NVME of the whole; null if unknown.</param>
    /// <param name="parts">The parts of the object.</param>
    public static bool Contradicts(GetObjectMetadataResponse made, ulong? crc64Nvme, IReadOnlyList<UploadedPart> parts)
    {
        if (crc64Nvme is { } known && made.ChecksumCRC64NVME is { } told)
        {
            return told != Text(known);
        }

        // The ETag is the MD5 of the parts' MD5s, with their number.
        var tag = Tag(made.ETag);
        var ending = string.Create(CultureInfo.InvariantCulture, $"-{parts.Count}");
        return tag.EndsWith(ending, StringComparison.Ordinal) && IsMd5(tag[..^ending.Length], made.ServerSideEncryptionMethod)
            && parts.All(part => IsMd5(part.Tag, null))
            && tag != Convert.ToHexStringLower(Md5(Convert.FromHexString(string.Concat(parts.Select(part => part.Tag))))) + ending;
    }

    /// <summary>Whether an ETag is the MD5 of the content. Under a KMS key it only looks like one.</summary>
    public static bool IsMd5(string tag, ServerSideEncryptionMethod? encryption) =>
        tag.Length == 32 && tag.All(char.IsAsciiHexDigitLower)
        && (encryption is null || encryption == ServerSideEncryptionMethod.None || encryption == ServerSideEncryptionMethod.AES256);

    /// <summary>Computes the MD5 of content.</summary>
    public static byte[] Md5(ReadOnlySpan<byte> content)
    {
#pragma warning disable CA5351 // The protocol has the MD5, against corruption on the way. The SHA-256 protects against attackers.
        return MD5.HashData(content);
#pragma warning restore CA5351
    }

    /// <summary>Computes the CRC-64/NVME of content.</summary>
    public static ulong Crc64Nvme(ReadOnlySpan<byte> content)
    {
        var hash = new Crc64(Crc64ParameterSet.Nvme);
        hash.Append(content);
        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>Returns a CRC in S3's form.</summary>
    public static string Text(ulong crc)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }

    private static string Text(uint crc)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, crc);
        return Convert.ToBase64String(bytes);
    }
}
