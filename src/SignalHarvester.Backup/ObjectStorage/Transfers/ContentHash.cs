using System.IO.Hashing;
using System.Security.Cryptography;

namespace SignalHarvester.Backup.ObjectStorage.Transfers;

/// <summary>Computes the SHA-256 of bytes that come in order, and the checksums that a service wants, in one pass.</summary>
internal sealed class ContentHash : IDisposable
{
    private readonly IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash? md5;
    private readonly Crc32? crc32C;
    private readonly Crc64? crc64Nvme;

    /// <summary>Begins.</summary>
    /// <param name="wanted">The checksums in addition to the SHA-256.</param>
    public ContentHash(ContentChecksums wanted)
    {
#pragma warning disable CA5351 // Azure and Google store the MD5 beside an object, against corruption. The SHA-256 protects against attackers.
        md5 = wanted.HasFlag(ContentChecksums.Md5) ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
#pragma warning restore CA5351
        crc32C = wanted.HasFlag(ContentChecksums.Crc32C) ? new Crc32(Crc32ParameterSet.Crc32C) : null;
        crc64Nvme = wanted.HasFlag(ContentChecksums.Crc64Nvme) ? new Crc64(Crc64ParameterSet.Nvme) : null;
    }

    /// <summary>Adds the next bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        sha256.AppendData(bytes);
        md5?.AppendData(bytes);
        crc32C?.Append(bytes);
        crc64Nvme?.Append(bytes);
    }

    /// <summary>Returns the SHA-256 so far, in lower-case hex.</summary>
    public string Sha256() => Convert.ToHexStringLower(sha256.GetCurrentHash());

    /// <summary>Returns the attributes of an object of these bytes.</summary>
    public ObjectAttributes Attributes(string contentType) => new(Sha256(), contentType)
    {
        Md5 = md5?.GetCurrentHash(),
        Crc32C = crc32C?.GetCurrentHashAsUInt32(),
        Crc64Nvme = crc64Nvme?.GetCurrentHashAsUInt64(),
    };

    /// <summary>Returns the attributes of a small object.</summary>
    public static ObjectAttributes Attributes(ReadOnlySpan<byte> content, string contentType, ContentChecksums wanted)
    {
        using var hash = new ContentHash(wanted);
        hash.Append(content);
        return hash.Attributes(contentType);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        sha256.Dispose();
        md5?.Dispose();
    }
}
