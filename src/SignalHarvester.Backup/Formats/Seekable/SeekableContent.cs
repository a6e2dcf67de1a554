using System.Buffers;
using System.Collections.Concurrent;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats.Pipeline;

namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>
/// The content of one stored file, read in any order: only the frames with the wanted bytes are read, decrypted and unpacked. One
/// thread at a time reads it.
/// </summary>
internal sealed class SeekableContent : IDisposable
{
    private readonly IStoredBytes stored;
    private readonly FrameIndex index;
    private readonly FrameCache cache;
    private readonly ConcurrentBag<IFrameUnpacker> unpackers = [];
    private long bytesRead;
    private long framesRead;

    private SeekableContent(IStoredBytes stored, FrameIndex index, FrameCache cache)
    {
        this.stored = stored;
        this.index = index;
        this.cache = cache;
    }

    /// <summary>Bytes of the content.</summary>
    public long Length => index.ContentLength;

    /// <summary>The number of frames.</summary>
    public int FrameCount => index.Count;

    /// <summary>Stored bytes of the frames that were read so far.</summary>
    public long BytesRead => Interlocked.Read(ref bytesRead);

    /// <summary>The frames that were read so far; one that was read twice counts twice.</summary>
    public long FramesRead => Interlocked.Read(ref framesRead);

    /// <summary>Whether a read goes over a network.</summary>
    public bool IsRemote => stored.IsRemote;

    /// <summary>Whether what is read proves itself: by a checksum in each frame, or because it is authenticated.</summary>
    public bool IsProved => index.HasChecksums || stored.IsAuthenticated;

    /// <summary>Opens the content of a stored file.</summary>
    /// <param name="file">The file; it is disposed with the content, or if this fails.</param>
    /// <param name="backup">The backup.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <param name="cache">Keeps unpacked frames; several contents share it.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>Null if the file cannot be read in pieces.</returns>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong, and the Cloud… errors.</exception>
    public static SeekableContent? TryOpen(
        IStoredBytes file, BackupMetadata backup, IdentityRing identities, FrameCache cache, CancellationToken cancellation)
    {
        try
        {
            var stored = DecryptedBytes.Open(file, identities, backup, cancellation);
            if (FrameIndex.TryRead(stored, backup.Compression, cancellation) is { } index)
            {
                return new SeekableContent(stored, index, cache);
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Fills a buffer from the content.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="buffer">The buffer to fill completely.</param>
    /// <exception cref="InvalidDataException">The content ends earlier, or is damaged.</exception>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Read(long offset, Span<byte> buffer)
    {
        if (offset + buffer.Length > Length)
        {
            throw new InvalidDataException("The content ends before a page that it should have.");
        }

        while (!buffer.IsEmpty)
        {
            var frame = index.Find(offset);
            var begin = index.ContentOffset(frame);
            var count = (int)Math.Min(begin + index.ContentLengthOf(frame) - offset, buffer.Length);
            cache.Read(this, frame, (int)(offset - begin), buffer[..count]);
            offset += count;
            buffer = buffer[count..];
        }
    }

    /// <summary>Reads the list of an increment's pages, which stands beside the content.</summary>
    /// <param name="most">How many pages it can have.</param>
    /// <param name="found">Called with each page, ascending.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>False if the file has no list.</returns>
    /// <exception cref="InvalidDataException">The list is damaged, or the file is cut short.</exception>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public bool TryReadPages(long most, Action<long> found, CancellationToken cancellation)
    {
        if (index.Aside is not { } place)
        {
            return false;
        }

        if (place.Length > PageList.LargestBytes(most))
        {
            throw new InvalidDataException("The list of its pages is longer than it can be.");
        }

        var frame = new byte[place.Length];
        stored.Read(place.Offset, frame, cancellation);
        return PageList.TryRead(frame, found);
    }

    /// <summary>Where a frame's content begins in the content.</summary>
    public long OffsetOf(int frame) => index.ContentOffset(frame);

    /// <summary>Bytes of a frame's content.</summary>
    public int LengthOf(int frame) => index.ContentLengthOf(frame);

    /// <summary>Reads and unpacks adjacent frames, all of them with one read. Several threads may do so at once.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="contents">Take their contents, one after another, and are at least as long.</param>
    /// <param name="done">Called for each frame, with its number among them; with the error of one that is damaged.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The file is cut short, or does not authenticate.</exception>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public void Load(int first, byte[][] contents, Action<int, InvalidDataException?> done, CancellationToken cancellation)
    {
        var begin = index.StoredOffset(first);
        var last = first + contents.Length - 1;
        var length = checked((int)(index.StoredOffset(last) + index.StoredLength(last) - begin));
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        var unpacker = unpackers.TryTake(out var idle) ? idle : Codec.Decompressor(index.Compression);
        try
        {
            stored.Read(begin, bytes.AsMemory(0, length), cancellation);
            Interlocked.Add(ref bytesRead, length);
            Interlocked.Add(ref framesRead, contents.Length);
            for (var i = 0; i < contents.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var frame = new ArraySegment<byte>(bytes, (int)(index.StoredOffset(first + i) - begin), index.StoredLength(first + i));
                done(i, WhyDamaged(unpacker, frame, contents[i].AsSpan(0, LengthOf(first + i))));
            }
        }
        finally
        {
            unpackers.Add(unpacker);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var unpacker in unpackers)
        {
            unpacker.Dispose();
        }

        stored.Dispose();
    }

    private InvalidDataException? WhyDamaged(IFrameUnpacker unpacker, ArraySegment<byte> frame, Span<byte> content)
    {
        try
        {
            if (index.Compression == CompressionType.Zstd && !ZstdFrames.IsChecked(frame, content.Length))
            {
                return new InvalidDataException("A zstd frame is not where the table of frames says, or has another size or no checksum.");
            }

            unpacker.Unpack(frame, content);
            return null;
        }
        catch (InvalidDataException exception)
        {
            return exception;
        }
    }
}
