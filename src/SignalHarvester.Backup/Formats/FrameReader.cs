using System.IO.Compression;
using SignalHarvester.Backup.Formats.Pipeline;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Cuts a stored file into frames for parallel decompression. A file that cannot be cut (one long frame, or gzip members
/// without our extra field, as other tools write them) is decompressed here, in one stream.
/// </summary>
/// <remarks>The content's first bytes show the codec: the Python tool labelled some gzip files as zstd.</remarks>
internal sealed class FrameReader : IDisposable
{
    private const int LargestFrame = 4 << 20;

    private readonly StoredStream stored;
    private Stream? rest;

    /// <summary>Recognises the codec from the content's first bytes.</summary>
    /// <param name="stored">The file. The caller disposes it.</param>
    public FrameReader(StoredStream stored)
    {
        this.stored = stored;
        var beginning = stored.Peek(16);
        Compression = ZstdFrames.HasMagic(beginning) ? CompressionType.Zstd
            : GzipMembers.HasMagic(beginning) ? CompressionType.Gzip
            : CompressionType.None;
    }

    /// <summary>The real compression of the content.</summary>
    public CompressionType Compression { get; }

    /// <summary>Makes a worker for the chunks that this reader fills.</summary>
    public IChunkWorker MakeWorker() => new Worker(Codec.Decompressor(Compression));

    /// <summary>Fills a chunk with the next frame, or with plain bytes.</summary>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="InvalidDataException">The content is damaged.</exception>
    public bool Read(Chunk chunk)
    {
        if (rest is null && Compression != CompressionType.None)
        {
            if (stored.Peek(1).IsEmpty)
            {
                return false;
            }

            if (TryReadFrame(chunk))
            {
                chunk.IsPlainOnly = false;
                return true;
            }
        }

        rest ??= OpenRest();
        chunk.EnsurePlainCapacity(Chunk.ImageBytes);
        chunk.IsPlainOnly = true;
        try
        {
            chunk.PlainLength = rest.ReadAtLeast(chunk.Plain.AsSpan(0, Chunk.ImageBytes), Chunk.ImageBytes, throwOnEndOfStream: false);
        }
        catch (Exception exception) when (exception is EndOfStreamException || (Compression == CompressionType.Zstd && ZstdFrames.IsDamage(exception)))
        {
            throw new InvalidDataException($"The {Compression} content is damaged: {exception.Message}", exception);
        }

        return chunk.PlainLength > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => rest?.Dispose();

    private Stream OpenRest() => Compression switch
    {
        CompressionType.Zstd => ZstdFrames.Open(stored),
        CompressionType.Gzip => new GZipStream(stored, CompressionMode.Decompress, leaveOpen: true),
        _ => stored,
    };

    private bool TryReadFrame(Chunk chunk)
    {
        int storedSize;
        int plainSize;
        if (Compression == CompressionType.Zstd)
        {
            if (ZstdFrames.Measure(stored.Peek(LargestFrame)) is not { } size)
            {
                return false;
            }

            (storedSize, plainSize) = size;
        }
        else
        {
            if (GzipMembers.Measure(stored.Peek(64)) is not { } size || size > LargestFrame || stored.Peek(size).Length < size)
            {
                return false;
            }

            storedSize = size;
            plainSize = GzipMembers.PlainSize(stored.Peek(size));
        }

        if (plainSize is < 0 or > LargestFrame)
        {
            return false;
        }

        chunk.EnsureStoredCapacity(storedSize);
        chunk.EnsurePlainCapacity(plainSize);
        stored.Peek(storedSize).CopyTo(chunk.Stored);
        stored.Skip(storedSize);
        chunk.StoredLength = storedSize;
        chunk.PlainLength = plainSize;
        return true;
    }

    private sealed class Worker(IChunkWorker decompressor) : IChunkWorker
    {
        public void Transform(Chunk chunk)
        {
            if (!chunk.IsPlainOnly)
            {
                decompressor.Transform(chunk);
            }
        }

        public void Dispose() => decompressor.Dispose();
    }
}
