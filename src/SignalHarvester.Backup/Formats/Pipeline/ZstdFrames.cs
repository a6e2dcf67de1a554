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

    private static ReadOnlySpan<byte> Magic => [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>Whether bytes begin like a frame.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Magic);

    /// <summary>Makes a worker that compresses a chunk into one frame.</summary>
    public static IChunkWorker Compressor(int level) => new CompressWorker(level);

    /// <summary>Makes a worker that decompresses one frame.</summary>
    public static IChunkWorker Decompressor() => new DecompressWorker();

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

    private sealed class DecompressWorker : IChunkWorker
    {
        private readonly Decompressor decompressor = new();

        public void Transform(Chunk chunk)
        {
            try
            {
                var length = decompressor.Unwrap(chunk.StoredSpan, chunk.Plain.AsSpan(0, chunk.PlainLength));
                if (length != chunk.PlainLength)
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
