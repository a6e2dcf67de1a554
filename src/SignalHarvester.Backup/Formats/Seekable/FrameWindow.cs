namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>Short looks at places of a file that lie further and further on.</summary>
/// <param name="file">The file.</param>
/// <param name="cancellation">Stops the reading.</param>
internal sealed class FrameWindow(IStoredBytes file, CancellationToken cancellation)
{
    private const int ShortRead = 32;

    private readonly byte[] bytes = new byte[Math.Max(ShortRead, file.PieceBytes)];
    private long start;
    private int length;

    /// <summary>Returns the bytes at an offset; fewer than requested only at the end of the file.</summary>
    /// <param name="offset">The offset.</param>
    /// <param name="count">How many bytes, 32 at most.</param>
    public ReadOnlySpan<byte> Peek(long offset, int count)
    {
        count = (int)Math.Clamp(file.Length - offset, 0, count);
        if (offset < start || offset + count > start + length)
        {
            start = offset;
            length = (int)Math.Min(bytes.Length, file.Length - offset);
            file.Read(offset, bytes.AsMemory(0, length), cancellation);
        }

        return bytes.AsSpan((int)(offset - start), count);
    }
}
