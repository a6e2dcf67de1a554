using System.Buffers.Binary;

namespace SignalHarvester.Backup.Formats.Seekable;

/// <summary>
/// The table at the end of a file of zstd frames, in a frame that every reader of zstd skips: where each frame begins, without reading
/// them all. It is the seekable format of the zstd project
/// (https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md), without checksums, because each
/// frame has its own.
/// </summary>
internal sealed class SeekTable
{
    private const uint SkippableMagic = 0x184D2A5E;
    private const uint FooterMagic = 0x8F92EAB1;
    private const int HeaderSize = 8;
    private const int EntrySize = 8;
    private const int ChecksumSize = 4;
    private const int FooterSize = 9;
    private const byte ChecksumFlag = 0x80;
    private const byte ReservedFlags = 0x7C;

    // Enough for the table of 16 GiB; a larger one takes another read.
    private const int UsualBytes = 64 << 10;

    // The stored and the content's length of each frame, one after the other.
    private uint[] lengths = new uint[64];

    /// <summary>The number of frames.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of a frame in the file.</summary>
    public uint StoredLength(int frame) => lengths[2 * frame];

    /// <summary>Bytes of a frame's content.</summary>
    public uint ContentLength(int frame) => lengths[(2 * frame) + 1];

    /// <summary>Begins the table of a new file; null for a compression that has none.</summary>
    public static SeekTable? For(CompressionType compression) => compression == CompressionType.Zstd ? new SeekTable() : null;

    /// <summary>Notes the next frame of the file.</summary>
    public void Add(int storedLength, int contentLength) => Add((uint)storedLength, (uint)contentLength);

    /// <summary>Returns the table, as it stands at the end of the file.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderSize + (Count * EntrySize) + FooterSize];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, SkippableMagic);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length - HeaderSize);
        var at = HeaderSize;
        for (var frame = 0; frame < Count; frame++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), StoredLength(frame));
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 4), ContentLength(frame));
            at += EntrySize;
        }

        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(at), Count);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 5), FooterMagic);
        return bytes;
    }

    /// <summary>Reads the table of a file.</summary>
    /// <returns>Null if the file has no table.</returns>
    /// <exception cref="InvalidDataException">The table contradicts itself or the file's length.</exception>
    public static SeekTable? TryRead(IStoredBytes file, CancellationToken cancellation)
    {
        if (file.Length < HeaderSize + FooterSize)
        {
            return null;
        }

        var end = new byte[Math.Min(UsualBytes, file.Length)];
        file.Read(file.Length - end.Length, end, cancellation);
        var footer = end.AsSpan(end.Length - FooterSize);
        if (BinaryPrimitives.ReadUInt32LittleEndian(footer[5..]) != FooterMagic)
        {
            return null;
        }

        var count = BinaryPrimitives.ReadUInt32LittleEndian(footer);
        var entrySize = (footer[4] & ChecksumFlag) == 0 ? EntrySize : EntrySize + ChecksumSize;
        var length = HeaderSize + (count * (long)entrySize) + FooterSize;
        if ((footer[4] & ReservedFlags) != 0 || length > file.Length || length > int.MaxValue)
        {
            throw Lies();
        }

        if (length > end.Length)
        {
            // Its own beginning first: a file whose last bytes merely look like a table must not have us make room for it.
            var beginning = new byte[HeaderSize];
            file.Read(file.Length - length, beginning, cancellation);
            RequireHeader(beginning, length);
            end = new byte[length];
            file.Read(file.Length - length, end, cancellation);
        }

        return Entries(end.AsSpan((int)(end.Length - length)), (int)count, entrySize, file.Length - length);
    }

    private static SeekTable Entries(ReadOnlySpan<byte> bytes, int count, int entrySize, long before)
    {
        RequireHeader(bytes, bytes.Length);
        var table = new SeekTable();
        long stored = 0;
        for (var index = 0; index < count; index++)
        {
            var entry = bytes[(HeaderSize + (index * entrySize))..];
            table.Add(BinaryPrimitives.ReadUInt32LittleEndian(entry), BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]));
            stored += table.StoredLength(index);
        }

        return stored == before ? table : throw Lies();
    }

    private static void RequireHeader(ReadOnlySpan<byte> bytes, long length)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != SkippableMagic || BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) != length - HeaderSize)
        {
            throw Lies();
        }
    }

    private void Add(uint storedLength, uint contentLength)
    {
        if (2 * Count == lengths.Length)
        {
            Array.Resize(ref lengths, 2 * lengths.Length);
        }

        (lengths[2 * Count], lengths[(2 * Count) + 1]) = (storedLength, contentLength);
        Count++;
    }

    private static InvalidDataException Lies() => new("The table of its frames, at the end of the file, contradicts the file.");
}
