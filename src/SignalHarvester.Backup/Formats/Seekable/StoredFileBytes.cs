using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>The bytes of a stored file on this machine. Somebody who replaces or removes the file does not disturb the readers of the open one.</summary>
/// <param name="file">The file. It is not disposed here.</param>
internal sealed class StoredFileBytes(SafeFileHandle file) : IStoredBytes
{
    /// <inheritdoc/>
    public long Length { get; } = RandomAccess.GetLength(file);

    /// <inheritdoc/>
    public int PieceBytes => 1;

    /// <inheritdoc/>
    public bool IsRemote => false;

    /// <inheritdoc/>
    public bool IsAuthenticated => false;

    /// <inheritdoc/>
    public void Read(long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        if (file.ReadFully(buffer.Span, offset) < buffer.Length)
        {
            throw new InvalidDataException("The file is cut short.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The chain that opened the file closes it.
    }
}
