using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>The checksums that S3 knows, in the form in which it tells them.</summary>
internal static class S3Checksum
{
    private const string Md5Name = "md5:";
    private const string Crc32Name = "crc32:";
    private const string Crc64NvmeName = "crc64nvme:";
    private const string TagName = "etag:";

    /// <summary>An ETag without its quotes.</summary>
    public static string Tag(string? given) => given?.Trim('"') ?? string.Empty;

    /// <summary>The checksum of an object: the best that the service tells.</summary>
    /// <param name="tag">Its ETag.</param>
    /// <param name="crc64Nvme">Its CRC-64/NVME; null if there is none.</param>
    /// <param name="encryption">How the service encrypts it.</param>
    public static string OfObject(string tag, string? crc64Nvme, ServerSideEncryptionMethod? encryption) =>
        crc64Nvme is not null ? Crc64NvmeName + crc64Nvme : IsMd5(tag, encryption) ? Md5Name + tag : TagName + tag;

    /// <summary>The checksum of a part, where the service tells one.</summary>
    /// <param name="tag">Its ETag.</param>
    /// <param name="crc64Nvme">Its CRC-64/NVME; null if there is none.</param>
    /// <param name="crc32">Its CRC-32; null if there is none.</param>
    /// <param name="encryption">How the service encrypts it; null if that is not told.</param>
    public static string? OfPart(string tag, string? crc64Nvme, string? crc32, ServerSideEncryptionMethod? encryption) =>
        crc64Nvme is not null ? Crc64NvmeName + crc64Nvme
        : crc32 is not null ? Crc32Name + crc32
        : IsMd5(tag, encryption) ? Md5Name + tag : null;

    /// <summary>The CRC-32 of a part; null if it was not sent with one.</summary>
    public static string? Crc32Of(UploadedPart part) =>
        part.Checksum is { } checksum && checksum.StartsWith(Crc32Name, StringComparison.Ordinal) ? checksum[Crc32Name.Length..] : null;

    /// <summary>Whether content is what a checksum says; false where there is none.</summary>
    public static bool Matches(string? checksum, ReadOnlySpan<byte> content) =>
        checksum is not null && checksum == checksum[..(checksum.IndexOf(':', StringComparison.Ordinal) + 1)] switch
        {
            Md5Name => Md5Name + Convert.ToHexStringLower(Md5(content)),
            Crc32Name => Crc32Name + Text(Crc32.HashToUInt32(content)),
            Crc64NvmeName => Crc64NvmeName + Text(Crc64Nvme(content)),
            _ => null,
        };

    /// <summary>Whether what the service says of an object can be held against what was sent, and is not that.</summary>
    /// <param name="made">The object's head.</param>
    /// <param name="crc64Nvme">The CRC-64/NVME of the whole; null if unknown.</param>
    /// <param name="parts">The parts that it was made of.</param>
    public static bool Contradicts(GetObjectMetadataResponse made, ulong? crc64Nvme, IReadOnlyList<UploadedPart> parts)
    {
        if (crc64Nvme is { } known && made.ChecksumCRC64NVME is { } told)
        {
            return told != Text(known);
        }

        // The MD5 of the parts' MD5s, and their number.
        var tag = Tag(made.ETag);
        var ending = string.Create(CultureInfo.InvariantCulture, $"-{parts.Count}");
        return tag.EndsWith(ending, StringComparison.Ordinal) && IsMd5(tag[..^ending.Length], made.ServerSideEncryptionMethod)
            && parts.All(part => IsMd5(part.Tag, null))
            && tag != Convert.ToHexStringLower(Md5(Convert.FromHexString(string.Concat(parts.Select(part => part.Tag))))) + ending;
    }

    /// <summary>Whether an ETag is the MD5 of the content. Under a KMS key it looks like one and is none.</summary>
    public static bool IsMd5(string tag, ServerSideEncryptionMethod? encryption) =>
        tag.Length == 32 && tag.All(char.IsAsciiHexDigitLower)
        && (encryption is null || encryption == ServerSideEncryptionMethod.None || encryption == ServerSideEncryptionMethod.AES256);

    /// <summary>The MD5 of content.</summary>
    public static byte[] Md5(ReadOnlySpan<byte> content)
    {
#pragma warning disable CA5351 // What the protocol sends along, against corruption on the way. The SHA-256 is what protects.
        return MD5.HashData(content);
#pragma warning restore CA5351
    }

    /// <summary>The CRC-64/NVME of content.</summary>
    public static ulong Crc64Nvme(ReadOnlySpan<byte> content)
    {
        var hash = new Crc64(Crc64ParameterSet.Nvme);
        hash.Append(content);
        return hash.GetCurrentHashAsUInt64();
    }

    /// <summary>A CRC as S3 writes it.</summary>
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
