using System.Security.Cryptography;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Streams pages into a file as a standard SQLite write-ahead log of one transaction: one thread frames and hashes, all cores
/// compress, and the caller's thread writes in order.
/// </summary>
internal sealed class WalWriter : IDisposable
{
    private readonly IEnumerator<long> pages;
    private readonly Action<long, Span<byte>> readPage;
    private readonly uint pageCount;
    private readonly ulong salts = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] piece;
    private readonly PageList? list;
    private (uint S0, uint S1) checksum;
    private int pieceLength;
    private int pieceUsed;
    private bool anotherPage;

    private WalWriter(int pageSize, long pageCount, IEnumerable<long> pages, Action<long, Span<byte>> readPage, PageList? list)
    {
        this.list = list;
        this.pages = pages.GetEnumerator();
        this.readPage = readPage;
        this.pageCount = checked((uint)pageCount);
        piece = new byte[WalFormat.FrameHeaderSize + pageSize];
        checksum = WalFormat.WriteHeader(piece, pageSize, salts);
        pieceLength = WalFormat.HeaderSize;
        anotherPage = this.pages.MoveNext();
    }

    /// <summary>Writes the log.</summary>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="pageCount">Pages of the database after the log was applied.</param>
    /// <param name="pages">The pages, ascending. Without any, the log is only a header and changes nothing.</param>
    /// <param name="readPage">Fills a buffer with a page; one thread at a time calls it.</param>
    /// <param name="target">Where the log goes.</param>
    /// <param name="compression">The codec.</param>
    /// <param name="level">The codec's level.</param>
    /// <param name="meter">Counts the log's bytes.</param>
    /// <param name="cancellation">Stops the writing.</param>
    public static WrittenWal Write(
        int pageSize,
        long pageCount,
        IEnumerable<long> pages,
        Action<long, Span<byte>> readPage,
        StoredFileWriter target,
        CompressionType compression,
        int level,
        ProgressMeter meter,
        CancellationToken cancellation)
    {
        using var writer = new WalWriter(pageSize, pageCount, pages, readPage, PageList.For(compression));
        var table = SeekTable.For(compression);
        ChunkPipeline.Run(
            writer.Fill,
            () => Codec.Compressor(compression, level),
            chunk =>
            {
                target.Append(chunk.StoredSpan);
                table?.Add(chunk.StoredLength, chunk.PlainLength);
                meter.Advance(chunk.PlainLength);
            },
            cancellation);
        var (storedLength, storedChecksum) = target.Finish(table, writer.list);
        return new WrittenWal(Convert.ToHexStringLower(writer.hash.GetHashAndReset()), storedLength, storedChecksum);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        pages.Dispose();
        hash.Dispose();
    }

    private bool Fill(Chunk chunk)
    {
        var filled = 0;
        while (filled < Chunk.ImageBytes && (pieceUsed < pieceLength || NextFrame()))
        {
            var count = Math.Min(pieceLength - pieceUsed, Chunk.ImageBytes - filled);
            piece.AsSpan(pieceUsed, count).CopyTo(chunk.Plain.AsSpan(filled));
            pieceUsed += count;
            filled += count;
        }

        chunk.PlainLength = filled;
        hash.AppendData(chunk.PlainSpan);
        return filled > 0;
    }

    private bool NextFrame()
    {
        if (!anotherPage)
        {
            return false;
        }

        var page = pages.Current;
        anotherPage = pages.MoveNext();
        list?.Add(page);
        readPage(page, piece.AsSpan(WalFormat.FrameHeaderSize));
        checksum = WalFormat.WriteFrame(piece, checked((uint)page), anotherPage ? 0 : pageCount, salts, checksum);
        pieceLength = piece.Length;
        pieceUsed = 0;
        return true;
    }
}
