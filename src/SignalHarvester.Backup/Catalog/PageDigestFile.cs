using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The page digests of the newest backup of one database: a cache beside the backups, one file a database, written as
/// the image streams by. Layout: 96 bytes of header (magic, version, page size, page count, backup id, SHA-256 of what
/// follows), then <see cref="PageDigests.Size"/> bytes a page. Deleting it loses nothing but time.
/// </summary>
internal sealed class PageDigestFile : IDisposable
{
    private const int HeaderSize = 96;
    private const int ChecksumOffset = 64;
    private const int Version = 1;
    private const string Suffix = ".pages";

    private readonly string path;
    private readonly SafeFileHandle handle;
    private readonly IncrementalHash checksum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long position = HeaderSize;
    private bool committed;

    private PageDigestFile(string path, SafeFileHandle handle)
    {
        this.path = path;
        this.handle = handle;
    }

    private static ReadOnlySpan<byte> Magic => "SHPD"u8;

    /// <summary>Whether a name, less its last suffix, is that of digests under way: <c>digest.pages.id.pages</c>.</summary>
    public static bool IsPartialName(string name) =>
        name.EndsWith(Suffix, StringComparison.Ordinal) && BackupFileName.IsId(Path.GetExtension(name[..^Suffix.Length]).TrimStart('.'));

    /// <summary>Begins the digests of a backup under way.</summary>
    /// <param name="folder">The directory's digest folder.</param>
    /// <param name="databasePath">The database; the file is named by a digest of its path.</param>
    /// <param name="id">The backup's id.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="pageCount">Pages in the image.</param>
    public static PageDigestFile Create(string folder, string databasePath, string id, int pageSize, long pageCount)
    {
        Directory.CreateDirectory(folder);
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(databasePath)).AsSpan(0, 8)) + Suffix;
        var path = Path.Combine(folder, name);

        // The id makes the temporary name one of this run alone.
        var handle = File.OpenHandle(path + "." + id + Suffix + BackupFileName.PartialSuffix, FileMode.Create, FileAccess.Write, DurableFile.Exclusive);
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), pageSize);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), pageCount);
        Encoding.ASCII.GetBytes(id, header.AsSpan(24));
        RandomAccess.Write(handle, header, 0);
        return new PageDigestFile(path, handle) { PartialPath = path + "." + id + Suffix + BackupFileName.PartialSuffix };
    }

    private string PartialPath { get; init; } = string.Empty;

    /// <summary>Adds the digests of the next pages.</summary>
    public void Append(ReadOnlySpan<byte> digests)
    {
        checksum.AppendData(digests);
        RandomAccess.Write(handle, digests, position);
        position += digests.Length;
    }

    /// <summary>Puts the file in place of the one before. Not flushed: the checksum gives away a cache that a crash tore.</summary>
    public void Commit()
    {
        try
        {
            RandomAccess.Write(handle, checksum.GetHashAndReset(), ChecksumOffset);
            File.Move(PartialPath, path, overwrite: true);
            committed = true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The state folder may be deleted at any time, or another run be at the same file: a cache is lost, nothing else.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!committed && File.Exists(PartialPath))
        {
            File.Delete(PartialPath);
        }

        checksum.Dispose();
        handle.Dispose();
    }
}
