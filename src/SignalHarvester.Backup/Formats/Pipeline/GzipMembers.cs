using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using SignalHarvester.Backup.Formats.Seekable;

namespace SignalHarvester.Backup.Formats.Pipeline;

/// <summary>
/// Gzip members (RFC 1952), each compressed by itself. An extra field <c>SH</c> in the header states the member's whole
/// size, so that all cores can work on one file; <c>gunzip</c> skips it.
/// </summary>
internal static class GzipMembers
{
    /// <summary>The default level, the same as gzip's.</summary>
    public const int DefaultLevel = 6;

    /// <summary>The lowest and the highest level.</summary>
    public static readonly (int Low, int High) Levels = (1, 9);

    private const int HeaderSize = 10 + 2 + 4 + 4;
    private const int TrailerSize = 8;

    // RFC 1952 2.3: ID1 ID2 CM=deflate FLG=FEXTRA MTIME=0 XFL=0 OS=unknown, XLEN=8, SI1 SI2 LEN=4.
    private static ReadOnlySpan<byte> Header => [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, (byte)'S', (byte)'H', 4, 0];

    /// <summary>Whether bytes begin like a member.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Header[..3]);

    /// <summary>Makes a worker that compresses a chunk into one member.</summary>
    public static IChunkWorker Compressor(int level) => new CompressWorker(level);

    /// <summary>Makes a worker that decompresses one member.</summary>
    public static IFrameUnpacker Decompressor() => new DecompressWorker();

    /// <summary>Returns the whole size of the member at the start of the bytes; null if the member does not state it.</summary>
    public static int? Measure(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderSize && bytes.StartsWith(Header)
            && BinaryPrimitives.ReadInt32LittleEndian(bytes[Header.Length..]) is var size and > HeaderSize + TrailerSize
            ? size
            : null;

    /// <summary>Measures the member at an offset; null if it does not state its size.</summary>
    public static FrameMeasure? Measure(FrameWindow file, long offset)
    {
        if (Measure(file.Peek(offset, HeaderSize)) is not { } size)
        {
            return null;
        }

        var content = file.Peek(offset + size - sizeof(int), sizeof(int));
        return content.Length < sizeof(int) ? throw new InvalidDataException("The file is cut short.")
            : PlainSize(content) is var length and >= 0 ? new FrameMeasure(size, length, HasChecksum: true)
            : null;
    }

    /// <summary>Returns the plain size that a whole member states in its last four bytes.</summary>
    public static int PlainSize(ReadOnlySpan<byte> member) => BinaryPrimitives.ReadInt32LittleEndian(member[^4..]);

    private sealed class CompressWorker(int level) : IChunkWorker
    {
        private readonly ZLibCompressionOptions options = new() { CompressionLevel = level };

        public void Transform(Chunk chunk)
        {
            // At its fastest level zlib writes nine bits for eight if nothing repeats.
            chunk.EnsureStoredCapacity(HeaderSize + TrailerSize + chunk.PlainLength + (chunk.PlainLength / 7) + 4096);
            Header.CopyTo(chunk.Stored);
            using var target = new MemoryStream(chunk.Stored, HeaderSize, chunk.Stored.Length - HeaderSize);
            using (var deflate = new DeflateStream(target, options, leaveOpen: true))
            {
                deflate.Write(chunk.PlainSpan);
            }

            var end = HeaderSize + (int)target.Position;
            BinaryPrimitives.WriteUInt32LittleEndian(chunk.Stored.AsSpan(end), Crc32.HashToUInt32(chunk.PlainSpan));
            BinaryPrimitives.WriteInt32LittleEndian(chunk.Stored.AsSpan(end + 4), chunk.PlainLength);
            chunk.StoredLength = end + TrailerSize;
            BinaryPrimitives.WriteInt32LittleEndian(chunk.Stored.AsSpan(Header.Length), chunk.StoredLength);
        }

        public void Dispose()
        {
            // DeflateStream keeps nothing between two members.
        }
    }

    private sealed class DecompressWorker : IFrameUnpacker
    {
        public void Unpack(ArraySegment<byte> frame, Span<byte> content)
        {
            using var source = new MemoryStream(frame.Array!, frame.Offset + HeaderSize, frame.Count - HeaderSize - TrailerSize);
            using var inflate = new DeflateStream(source, CompressionMode.Decompress);
            if (inflate.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) != content.Length || inflate.ReadByte() >= 0)
            {
                throw new InvalidDataException("A gzip member is shorter than it states.");
            }

            if (Crc32.HashToUInt32(content) != BinaryPrimitives.ReadUInt32LittleEndian(frame.AsSpan()[^TrailerSize..]))
            {
                throw new InvalidDataException("A gzip member's checksum does not match its content.");
            }
        }

        public void Dispose()
        {
            // DeflateStream keeps nothing between two members.
        }
    }
}
