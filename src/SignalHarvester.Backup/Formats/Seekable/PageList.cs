using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;

namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>
/// The numbers of the pages in an increment, in a frame that every reader of zstd skips: so that a look into a chain need not unpack the
/// increment to learn which pages it has. Ascending, each as its distance from the one before in LEB128 (seven bits a byte, the lowest first;
/// https://en.wikipedia.org/wiki/LEB128): mostly one or two bytes a page. XXH64 of the whole at the end: a page that is missing in a damaged
/// list would silently be read from an older backup.
/// </summary>
internal sealed class PageList
{
    private const uint SkippableMagic = 0x184D2A5D;
    private const int HeaderSize = 8;
    private const int MostDistanceBytes = 5;
    private const int SumSize = sizeof(ulong);

    private readonly ArrayBufferWriter<byte> distances = new();
    private long last;

    private static ReadOnlySpan<byte> Mark => "SHPL"u8;

    /// <summary>Begins the list of a new file; null for a compression that has none.</summary>
    public static PageList? For(CompressionType compression) => compression == CompressionType.Zstd ? new PageList() : null;

    /// <summary>The most bytes that the list of a number of pages can take.</summary>
    public static long LargestBytes(long pages) => HeaderSize + Mark.Length + SumSize + (pages * MostDistanceBytes);

    /// <summary>Notes the next page, which has a higher number than the one before.</summary>
    public void Add(long page)
    {
        Leb128.Write(distances, (ulong)(page - last));
        last = page;
    }

    /// <summary>Returns the list, as it stands in the file.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderSize + Mark.Length + distances.WrittenCount + SumSize];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, SkippableMagic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - HeaderSize);
        Mark.CopyTo(bytes.AsSpan(HeaderSize));
        distances.WrittenSpan.CopyTo(bytes.AsSpan(HeaderSize + Mark.Length));
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(bytes.Length - SumSize), XxHash64.HashToUInt64(bytes.AsSpan(0, bytes.Length - SumSize)));
        return bytes;
    }

    /// <summary>Reads a list.</summary>
    /// <param name="frame">The frame with the list.</param>
    /// <param name="found">Called with each page, ascending.</param>
    /// <returns>False if the frame is another one that is to be skipped.</returns>
    /// <exception cref="InvalidDataException">The list is damaged.</exception>
    public static bool TryRead(ReadOnlySpan<byte> frame, Action<long> found)
    {
        if (frame.Length < HeaderSize + Mark.Length + SumSize || BinaryPrimitives.ReadUInt32LittleEndian(frame) != SkippableMagic
            || !frame[HeaderSize..].StartsWith(Mark))
        {
            return false;
        }

        if (BinaryPrimitives.ReadUInt64LittleEndian(frame[^SumSize..]) != XxHash64.HashToUInt64(frame[..^SumSize]))
        {
            throw Damaged();
        }

        long page = 0;
        for (var rest = frame[(HeaderSize + Mark.Length)..^SumSize]; !rest.IsEmpty;)
        {
            page = Leb128.TryRead(ref rest, out var distance) && distance > 0 && distance <= (ulong)(uint.MaxValue - page)
                ? page + (long)distance
                : throw Damaged();
            found(page);
        }

        return true;
    }

    private static InvalidDataException Damaged() => new("The list of its pages is damaged.");
}
