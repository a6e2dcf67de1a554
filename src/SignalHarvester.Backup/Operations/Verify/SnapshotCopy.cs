using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>
/// A private copy of a snapshot, written from the same buffers from which a scan took its digests. The database in an increment is
/// checked there, so that its chain need not be unpacked.
/// </summary>
internal sealed class SnapshotCopy : IImageTarget, IDisposable
{
    private const string Advice = "Check the permissions of the backup directory and of the temporary folder.";

    private readonly TemporaryFolder folder;
    private readonly SafeFileHandle handle;
    private readonly ImageFile image;
    private readonly int pageSize;
    private readonly byte[] page;
    private bool isDisposed;

    private SnapshotCopy(TemporaryFolder folder, int pageSize)
    {
        this.folder = folder;
        this.pageSize = pageSize;
        page = new byte[pageSize];
        Path = folder.FilePath("image.db");
        handle = File.OpenHandle(Path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
        image = new ImageFile(handle, flush: null);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Makes an empty copy.</summary>
    /// <param name="temporaryParent">Where to make it; else the system's temporary folder.</param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="length">Bytes of the snapshot.</param>
    /// <exception cref="BackupException">InsufficientSpace, WriteFailed.</exception>
    public static SnapshotCopy Create(string temporaryParent, int pageSize, long length)
    {
        var folder = TemporaryFolder.CreateInFirst([temporaryParent, System.IO.Path.GetTempPath()], length);
        try
        {
            return DiskFault.Guard(folder.Path, BackupErrorId.WriteFailed, Advice, () => new SnapshotCopy(folder, pageSize));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="BackupException">InsufficientSpace, WriteFailed.</exception>
    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            image.Write(bytes, offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(exception, folder.Path, BackupErrorId.WriteFailed, Advice);
        }
    }

    /// <summary>Whether a page of the copy has this content. Only one thread at a time may ask.</summary>
    /// <exception cref="BackupException">WriteFailed: the copy cannot be read.</exception>
    public bool Has(long number, ReadOnlySpan<byte> content)
    {
        DiskFault.Guard(folder.Path, BackupErrorId.WriteFailed, Advice, () => image.Read(page, (number - 1) * pageSize));
        return content.SequenceEqual(page);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!isDisposed)
        {
            isDisposed = true;
            using (folder)
            {
                handle.Dispose();
            }
        }
    }
}
