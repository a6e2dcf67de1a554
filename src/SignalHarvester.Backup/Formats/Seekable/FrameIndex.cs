using SignalHarvester.Backup.Formats.Pipeline;

namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>Where the frames of a stored file's content are, and what they hold.</summary>
internal sealed class FrameIndex
{
    // A frame of ours holds 2 MiB; this much is still unpacked whole for one page.
    private const int LargestFrame = 4 << 20;

    // What cannot be compressed grows a little; a table that claims more would have us make room for it.
    private const int LargestStored = LargestFrame + (LargestFrame >> 4);

    // Content that is not compressed has no frames, and is read in blocks of this size.
    private const int PlainBlock = 256 << 10;

    // Plain arrays: code of .NET's collections for such elements cannot be compiled ahead, and costs a query more than its pages.
    private long[] storedOffsets = new long[64];
    private int[] storedLengths = new int[64];
    private long[] contentEnds = new long[64];

    private FrameIndex(CompressionType compression) => Compression = compression;

    /// <summary>How the frames are compressed.</summary>
    public CompressionType Compression { get; }

    /// <summary>Whether every frame carries a checksum of its content.</summary>
    public bool HasChecksums { get; private init; }

    /// <summary>The place of the last frame in the table that readers skip; null if there is none.</summary>
    public (long Offset, int Length)? Aside { get; private set; }

    /// <summary>The number of frames.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the content.</summary>
    public long ContentLength => Count == 0 ? 0 : contentEnds[Count - 1];

    /// <summary>Finds the frames of a file.</summary>
    /// <param name="file">The file, decrypted.</param>
    /// <param name="recorded">How the file was compressed when it was made.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>
    /// Null if the file cannot be read in pieces: it is one long frame, or its frames do not say how long they are, or they would have to
    /// be sought one by one over a network.
    /// </returns>
    /// <exception cref="InvalidDataException">The file is cut short, or its table contradicts it.</exception>
    public static FrameIndex? TryRead(IStoredBytes file, CompressionType recorded, CancellationToken cancellation)
    {
        // What is not compressed can end with anything: the last page of a database with the rows of its users, too.
        if (recorded == CompressionType.Zstd && SeekTable.TryRead(file, cancellation) is { } table && Of(table) is { } index)
        {
            return index;
        }

        var beginning = new byte[Math.Min(16, file.Length)];
        file.Read(0, beginning, cancellation);
        return ZstdFrames.HasMagic(beginning) ? Walk(file, CompressionType.Zstd, ZstdFrames.Measure, cancellation)
            : GzipMembers.HasMagic(beginning) ? Walk(file, CompressionType.Gzip, GzipMembers.Measure, cancellation)
            : Plain(file.Length);
    }

    /// <summary>Where a frame begins in the file.</summary>
    public long StoredOffset(int frame) => storedOffsets[frame];

    /// <summary>Bytes of a frame in the file.</summary>
    public int StoredLength(int frame) => storedLengths[frame];

    /// <summary>Where a frame's content begins in the content.</summary>
    public long ContentOffset(int frame) => frame == 0 ? 0 : contentEnds[frame - 1];

    /// <summary>Bytes of a frame's content.</summary>
    public int ContentLengthOf(int frame) => (int)(contentEnds[frame] - ContentOffset(frame));

    /// <summary>Returns the frame with a byte of the content.</summary>
    public int Find(long contentOffset)
    {
        // Nearly always all frames hold the same.
        if (contentOffset / contentEnds[0] is var guess && guess < Count && contentOffset >= ContentOffset((int)guess) && contentOffset < contentEnds[guess])
        {
            return (int)guess;
        }

        var (low, high) = (0, Count - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = contentOffset < contentEnds[middle] ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private static FrameIndex? Of(SeekTable table)
    {
        var index = new FrameIndex(CompressionType.Zstd) { HasChecksums = true };
        long offset = 0;
        for (var frame = 0; frame < table.Count; frame++)
        {
            // All frames of ours hold the same, except the last. So no entry can move the frames behind it to another place.
            var (length, content) = (table.StoredLength(frame), table.ContentLength(frame));
            if (content > LargestFrame || length is 0 or > int.MaxValue || (content > 0 && length > LargestStored)
                || (content > 0 && index.Count > 0 && (index.ContentLengthOf(index.Count - 1) != index.contentEnds[0] || content > index.contentEnds[0])))
            {
                return null;
            }

            index.Add(offset, (int)length, (int)content);
            if (content == 0)
            {
                index.Aside = (offset, (int)length);
            }

            offset += length;
        }

        return index;
    }

    private static FrameIndex? Walk(IStoredBytes file, CompressionType compression, MeasureFrame measure, CancellationToken cancellation)
    {
        if (file.IsRemote)
        {
            return null;
        }

        var index = new FrameIndex(compression) { HasChecksums = true };
        var window = new FrameWindow(file, cancellation);
        for (long offset = 0; offset < file.Length;)
        {
            cancellation.ThrowIfCancellationRequested();
            if (measure(window, offset) is not { Content: <= LargestFrame, HasChecksum: true } frame
                || (frame.Content > 0 && frame.Stored > LargestStored))
            {
                return null;
            }

            if (frame.Stored > file.Length - offset)
            {
                throw new InvalidDataException("The file is cut short.");
            }

            index.Add(offset, frame.Stored, frame.Content);
            offset += frame.Stored;
        }

        return index;
    }

    private static FrameIndex Plain(long length)
    {
        var index = new FrameIndex(CompressionType.None);
        for (long offset = 0; offset < length; offset += PlainBlock)
        {
            var block = (int)Math.Min(PlainBlock, length - offset);
            index.Add(offset, block, block);
        }

        return index;
    }

    private void Add(long offset, int length, int content)
    {
        if (content == 0)
        {
            return;
        }

        if (Count == storedOffsets.Length)
        {
            Array.Resize(ref storedOffsets, 2 * Count);
            Array.Resize(ref storedLengths, 2 * Count);
            Array.Resize(ref contentEnds, 2 * Count);
        }

        (storedOffsets[Count], storedLengths[Count], contentEnds[Count]) = (offset, length, ContentLength + content);
        Count++;
    }
}
