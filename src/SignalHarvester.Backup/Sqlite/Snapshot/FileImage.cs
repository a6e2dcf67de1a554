using System.Globalization;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>An image in a file of our own, which nobody changes.</summary>
/// <param name="file">The file; disposed with this object.</param>
/// <param name="pageSize">Bytes in a page.</param>
/// <param name="method">How the file was made.</param>
internal sealed class FileImage(SafeFileHandle file, int pageSize, string method) : IDatabaseImage
{
    /// <inheritdoc/>
    public int PageSize => pageSize;

    /// <inheritdoc/>
    public long PageCount { get; } = RandomAccess.GetLength(file) / pageSize;

    /// <inheritdoc/>
    public string Method => method;

    /// <inheritdoc/>
    public long MissingPages => 0;

    /// <summary>Opens an image that was put together from a chain.</summary>
    public static FileImage Open(string path, int pageSize) =>
        new(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan), pageSize, "chain");

    /// <inheritdoc/>
    public void Read(long firstPage, Span<byte> buffer)
    {
        var offset = (firstPage - 1) * PageSize;
        if (file.ReadFully(buffer, offset) is var read && read < buffer.Length)
        {
            throw new EndOfStreamException(string.Create(CultureInfo.InvariantCulture, $"The temporary copy ended at byte {offset + read}."));
        }

        var lockOffset = DatabaseHeader.LockByteOffset - offset;
        if (lockOffset >= 0 && lockOffset < buffer.Length)
        {
            buffer.Slice((int)lockOffset, PageSize).Clear();
        }
    }

    /// <inheritdoc/>
    public void ConfirmUnchanged()
    {
        // The file is our own.
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
