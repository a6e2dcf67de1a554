using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Reads until the buffer is full or the file ends: one read of the system may return less than there is.</summary>
internal static class FullRead
{
    /// <summary>Fills a buffer from a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="buffer">The buffer.</param>
    /// <param name="offset">The byte in the file at which reading begins.</param>
    /// <returns>The number of bytes read: fewer than the buffer holds only at the end of the file.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static int ReadFully(this SafeFileHandle file, Span<byte> buffer, long offset)
    {
        var done = 0;
        while (done < buffer.Length && RandomAccess.Read(file, buffer[done..], offset + done) is var read and > 0)
        {
            done += read;
        }

        return done;
    }
}
