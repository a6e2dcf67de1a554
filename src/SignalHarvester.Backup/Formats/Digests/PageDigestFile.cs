using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats.Digests;

/// <summary>
/// The page digests of one backup: a cache beside the backups, written while the image is read. Layout: 96 bytes of header
/// (magic, version, page size, page count, backup id), then <see cref="PageDigests.Size"/> bytes for each page. The backup's
/// sidecar proves the cache, because it records the SHA-256 over the digests. Deleting the cache costs nothing but time.
/// </summary>
internal sealed class PageDigestFile : IDisposable
{
    public const int HeaderSize = 96;
    private const int Version = 2;
    private const string Suffix = ".pages";
    private const int MostAttempts = 10;

    private readonly string folder;
    private readonly string databaseKey;
    private readonly string path;
    private readonly string temporaryPath;
    private readonly SafeFileHandle handle;
    private readonly PageDigestCipher? cipher;
    private byte[] keyed = [];
    private long position = HeaderSize;
    private bool committed;

    private PageDigestFile(string folder, string databaseKey, string path, string temporaryPath, SafeFileHandle handle, PageDigestCipher? cipher)
    {
        this.temporaryPath = temporaryPath;
        this.folder = folder;
        this.databaseKey = databaseKey;
        this.path = path;
        this.handle = handle;
        this.cipher = cipher;
    }

    /// <summary>Whether a name, without its last suffix, is that of unfinished digests: <c>digest-id.pages</c>.</summary>
    public static bool IsPartialName(string name) => IdOf(name) is not null;

    /// <summary>Returns the path of a backup's digests, whether they exist or not.</summary>
    /// <param name="folder">The directory's digest folder.</param>
    /// <param name="databasePath">The database. The file's name is a digest of this path.</param>
    /// <param name="id">The backup's id.</param>
    public static string PathFor(string folder, string databasePath, string id) => Path.Combine(folder, DatabaseKey.Of(databasePath) + "-" + id + Suffix);

    /// <summary>Begins the digests of a backup.</summary>
    /// <param name="folder">The directory's digest folder.</param>
    /// <param name="temporaryFolder">A folder for them on the same file system until they are complete. It belongs to this run
    /// alone, unless the id does.</param>
    /// <param name="databasePath">The database.</param>
    /// <param name="id">The backup's id.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="pageCount">Pages in the image.</param>
    /// <param name="cipher">Encrypts the digests of an encrypted backup; null for a plain one.</param>
    public static PageDigestFile Create(
        string folder, string temporaryFolder, string databasePath, string id, int pageSize, long pageCount, PageDigestCipher? cipher = null)
    {
        DurableFile.CreateDirectory(folder);
        var path = PathFor(folder, databasePath, id);
        var temporaryPath = Path.Combine(temporaryFolder, Path.GetFileName(path) + BackupFileName.PartialSuffix);
        var handle = CreateLocked(temporaryPath);
        RandomAccess.Write(handle, Header(id, pageSize, pageCount), 0);
        return new PageDigestFile(folder, DatabaseKey.Of(databasePath), path, temporaryPath, handle, cipher);
    }

    /// <summary>Returns the header of a backup's digests.</summary>
    public static byte[] Header(string id, int pageSize, long pageCount)
    {
        var header = new byte[HeaderSize];
        "SHPD"u8.CopyTo(header);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), pageSize);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), pageCount);
        Encoding.ASCII.GetBytes(id, header.AsSpan(24));
        return header;
    }

    /// <summary>Adds the digests of the next pages.</summary>
    public void Append(ReadOnlySpan<byte> digests)
    {
        RandomAccess.Write(handle, cipher is null ? digests : Keyed(digests), position);
        position += digests.Length;
    }

    /// <summary>
    /// Gives the file its final name and deletes the database's other digest files. It is not flushed: if a crash tears the cache,
    /// the checksum in the sidecar reveals it.
    /// </summary>
    /// <param name="alsoKept">A backup whose digests are kept as well: the parent, which the next backup may build on too.</param>
    public void Commit(string? alsoKept)
    {
        try
        {
            using var source = HeldFolder.OpenParent(temporaryPath);
            using var target = HeldFolder.Open(folder);
            source.Rename(Path.GetFileName(temporaryPath), target, Path.GetFileName(path));
            committed = true;
            foreach (var other in Directory.EnumerateFiles(folder, databaseKey + "-*" + Suffix))
            {
                if (other != path && IdOf(Path.GetFileName(other)) is { } id && id != alsoKept)
                {
                    target.Delete(Path.GetFileName(other));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The state folder may be deleted at any time, and another run may use the same file: only a cache is lost.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!committed && File.Exists(temporaryPath))
        {
            DurableFile.Discard(temporaryPath);
        }

        RegularFile.Release(handle);
        cipher?.Dispose();
    }

    private ReadOnlySpan<byte> Keyed(ReadOnlySpan<byte> digests)
    {
        if (keyed.Length < digests.Length)
        {
            keyed = new byte[digests.Length];
        }

        cipher!.Encrypt(digests, keyed);
        return keyed.AsSpan(0, digests.Length);
    }

    private static SafeFileHandle CreateLocked(string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                // An existing file belongs to a dead run, or to another account that would then read along.
                DurableFile.Discard(path);
                var handle = DurableFile.CreatePrivate(path, DurableFile.Exclusive);
                if (File.Exists(path))
                {
                    return handle;
                }

                handle.Dispose();
            }
            catch (IOException exception) when ((DiskFault.IsHeldElsewhere(exception) || File.Exists(path)) && attempt < MostAttempts)
            {
                // The file is made first and then locked. In between, another run may have taken it for abandoned.
            }
        }
    }

    private static string? IdOf(string name) =>
        name.EndsWith(Suffix, StringComparison.Ordinal) && name[..^Suffix.Length].Split('-') is [_, var id] && BackupFileName.IsId(id) ? id : null;
}
