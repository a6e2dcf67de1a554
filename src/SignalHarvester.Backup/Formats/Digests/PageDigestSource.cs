using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats.Digests;

/// <summary>The page digests of a backup. The checksum in its sidecar proves that they belong to it.</summary>
internal sealed class PageDigestSource : IDisposable
{
    private const int ReadBytes = 1 << 20;

    private readonly SafeFileHandle handle;
    private readonly long pageCount;
    private readonly PageDigestCipher? cipher;

    private PageDigestSource(SafeFileHandle handle, long pageCount, PageDigestCipher? cipher)
    {
        this.handle = handle;
        this.cipher = cipher;
        this.pageCount = pageCount;
    }

    /// <summary>Opens the cached digests of a backup.</summary>
    /// <param name="folder">The directory's digest folder.</param>
    /// <param name="backup">The backup, with its database, page size, page count and the digests' checksum.</param>
    /// <returns>Null if there are none, or they cannot be proved.</returns>
    public static PageDigestSource? TryOpen(string folder, BackupMetadata backup)
    {
        if (backup is not { DatabasePath: { } databasePath, PageSize: { } pageSize, PageCount: { } pageCount, PagesChecksum: { } recorded })
        {
            return null;
        }

        SafeFileHandle handle;
        try
        {
            handle = RegularFile.Open(
                PageDigestFile.PathFor(folder, databasePath, backup.Id), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The cache is missing, or this account may not read it.
            return null;
        }

        var cipher = backup.IsEncrypted ? PageDigestCipher.TryOpen() : null;
        var source = new PageDigestSource(handle, pageCount, cipher);
        try
        {
            if (backup.IsEncrypted == (cipher is not null) && source.Begins(PageDigestFile.Header(backup.Id, pageSize, pageCount))
                && source.Checksum() == recorded)
            {
                return source;
            }
        }
        catch (IOException)
        {
            // A cache on a bad block is worthless.
        }

        source.Dispose();
        return null;
    }

    /// <summary>Reads the digests from a page onwards.</summary>
    /// <returns>The number of bytes read: fewer than requested if the image ends earlier.</returns>
    public int Read(long firstPage, Span<byte> buffer)
    {
        var wanted = (int)Math.Clamp((pageCount - firstPage + 1) * PageDigests.Size, 0, buffer.Length);
        var read = handle.ReadFully(buffer[..wanted], PageDigestFile.HeaderSize + ((firstPage - 1) * PageDigests.Size));
        cipher?.Decrypt(buffer[..read]);
        return read;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        handle.Dispose();
        cipher?.Dispose();
    }

    private bool Begins(ReadOnlySpan<byte> header)
    {
        Span<byte> found = stackalloc byte[PageDigestFile.HeaderSize];
        return handle.ReadFully(found, 0) == found.Length && found.SequenceEqual(header)
            && RandomAccess.GetLength(handle) == PageDigestFile.HeaderSize + (pageCount * PageDigests.Size);
    }

    private string Checksum()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[ReadBytes];
        for (var firstPage = 1L; Read(firstPage, buffer) is var count and > 0; firstPage += count / PageDigests.Size)
        {
            hash.AppendData(buffer, 0, count);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
