using System.Buffers.Binary;
using SignalHarvester.Backup.Formats.Seekable;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>
/// Zstandard frames (RFC 8878), each compressed by itself with its content size and checksum, so that all cores can
/// work on one file and <c>zstd -d</c> reads it.
/// </summary>
internal static class ZstdFrames
{
    /// <summary>The default level: it is as fast as a disk.</summary>
    public const int DefaultLevel = 1;

    /// <summary>The lowest and the highest level.</summary>
    public static readonly (int Low, int High) Levels = (1, 19);

    private const int MagicSize = 4;
    private const int LargestHeader = 18;
    private const int BlockHeader = 3;
    private const int ChecksumSize = 4;
    private const int LargestMeasured = 1 << 30;

    private static ReadOnlySpan<byte> Magic => [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>Whether bytes begin like a frame.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Magic);

    /// <summary>Makes a worker that compresses a chunk into one frame.</summary>
    public static IChunkWorker Compressor(int level) => new CompressWorker(level);

    /// <summary>Makes a worker that decompresses one frame.</summary>
    public static IFrameUnpacker Decompressor() => new DecompressWorker();

    /// <summary>Decompresses frames of any size, one after another.</summary>
    /// <param name="stored">The file. The caller disposes it.</param>
    public static Stream Open(Stream stored) => new DecompressionStream(stored, leaveOpen: true);

    /// <summary>Whether an exception means damaged content. This method is here so that gzip works even if the zstd library is missing.</summary>
    public static bool IsDamage(Exception exception) => exception is ZstdException;

    /// <summary>
    /// Returns the stored and the plain size of the frame at the start of the bytes; null if the bytes do not hold the whole
    /// frame, or it does not state its plain size.
    /// </summary>
    public static unsafe (int Stored, int Plain)? Measure(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            var plain = Methods.ZSTD_getFrameContentSize(pointer, (nuint)bytes.Length);
            if (plain > int.MaxValue)
            {
                return null;
            }

            var stored = Methods.ZSTD_findFrameCompressedSize(pointer, (nuint)bytes.Length);
            return Methods.ZSTD_isError(stored) ? null : ((int)stored, (int)plain);
        }
    }

    /// <summary>Whether bytes are exactly one frame, with content of this size and a checksum of it.</summary>
    public static bool IsChecked(ReadOnlySpan<byte> frame, int contentLength) =>
        frame.Length > MagicSize && HasMagic(frame) && (frame[MagicSize] & 4) != 0 && Measure(frame) == (frame.Length, contentLength);

    /// <summary>
    /// Measures the frame at an offset by the headers of its blocks (RFC 8878, 3.1); null if it does not state its content's size, or is no
    /// frame.
    /// </summary>
    public static FrameMeasure? Measure(FrameWindow file, long offset)
    {
        var header = file.Peek(offset, LargestHeader);
        if (header.Length >= 2 * MagicSize && (BinaryPrimitives.ReadUInt32LittleEndian(header) & 0xFFFFFFF0) == 0x184D2A50)
        {
            // To be skipped: its magic is followed by its size.
            return BinaryPrimitives.ReadUInt32LittleEndian(header[MagicSize..]) is var size and <= int.MaxValue - (2 * MagicSize)
                ? new FrameMeasure((int)size + (2 * MagicSize), 0, HasChecksum: true)
                : null;
        }

        if (header.Length <= MagicSize || !HasMagic(header) || ContentSize(header) is not { } content)
        {
            return null;
        }

        var hasChecksum = (header[MagicSize] & 4) != 0;
        var length = HeaderSize(header[MagicSize]);
        for (var isLast = false; !isLast;)
        {
            if (file.Peek(offset + length, BlockHeader) is not { Length: BlockHeader } block)
            {
                throw new InvalidDataException("The file is cut short.");
            }

            var word = block[0] | (block[1] << 8) | (block[2] << 16);
            isLast = (word & 1) != 0;

            // One byte stands for a block that repeats it.
            length += BlockHeader + ((word & 6) == 2 ? 1 : word >> 3);
            if (length > LargestMeasured)
            {
                return null;
            }
        }

        return new FrameMeasure(length + (hasChecksum ? ChecksumSize : 0), content, hasChecksum);
    }

    private static int HeaderSize(byte descriptor) => MagicSize + 1 + ((descriptor & 0x20) == 0 ? 1 : 0) + DictionarySize(descriptor) + (descriptor >> 6) switch
    {
        0 => (descriptor & 0x20) == 0 ? 0 : 1,
        1 => 2,
        2 => 4,
        _ => 8,
    };

    private static int DictionarySize(byte descriptor) => (descriptor & 3) switch { 3 => 4, var size => size };

    private static unsafe int? ContentSize(ReadOnlySpan<byte> header)
    {
        fixed (byte* pointer = header)
        {
            var size = Methods.ZSTD_getFrameContentSize(pointer, (nuint)header.Length);
            return size > int.MaxValue ? null : (int)size;
        }
    }

    private sealed class CompressWorker : IChunkWorker
    {
        private readonly Compressor compressor;

        public CompressWorker(int level)
        {
            compressor = new Compressor(level);
            compressor.SetParameter(ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        }

        public void Transform(Chunk chunk)
        {
            chunk.EnsureStoredCapacity(ZstdSharp.Compressor.GetCompressBound(chunk.PlainLength));
            chunk.StoredLength = compressor.Wrap(chunk.PlainSpan, chunk.Stored);
        }

        public void Dispose() => compressor.Dispose();
    }

    private sealed class DecompressWorker : IFrameUnpacker
    {
        private readonly Decompressor decompressor = new();

        public void Unpack(ArraySegment<byte> frame, Span<byte> content)
        {
            try
            {
                if (decompressor.Unwrap(frame, content) != content.Length)
                {
                    throw new InvalidDataException("A zstd frame is shorter than it states.");
                }
            }
            catch (ZstdException exception)
            {
                throw new InvalidDataException($"A zstd frame is damaged: {exception.Message}.", exception);
            }
        }

        public void Dispose() => decompressor.Dispose();
    }
}
