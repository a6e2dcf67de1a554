using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Reads until the buffer is full or the file ends: one read of the system may give less than there is.</summary>
internal static class FullRead
{
    /// <summary>Fills a buffer from a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="buffer">What is filled.</param>
    /// <param name="offset">Where in the file reading begins, in bytes.</param>
    /// <returns>Bytes that were read: fewer than the buffer only at the end of the file.</returns>
    /// <exception cref="IOException">The disk does not give the file.</exception>
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
