using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats;

/// <summary>A file in which an image is put together: written in pieces at any place, by several threads at once, and read back.</summary>
/// <param name="handle">The file, open for reading and writing. The caller disposes it.</param>
/// <param name="flush">Flushes the file as it grows; null if it is temporary.</param>
internal sealed class ImageFile(SafeFileHandle handle, SteadyFlush? flush) : IImageTarget
{
    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        PieceWriter.Write(handle, bytes, offset);
        flush?.Written(bytes.Length);
    }

    /// <inheritdoc/>
    /// <exception cref="EndOfStreamException">The file is shorter.</exception>
    public void Read(Span<byte> buffer, long offset)
    {
        if (handle.ReadFully(buffer, offset) < buffer.Length)
        {
            throw new EndOfStreamException("The temporary image is shorter than the data written to it.");
        }
    }
}
