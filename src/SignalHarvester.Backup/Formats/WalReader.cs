using System.Buffers.Binary;
using System.Globalization;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Takes an unpacked write-ahead log of one transaction in pieces of any size, checks it against the file format, and
/// passes its pages on.
/// </summary>
/// <param name="pageSize">Bytes in a page, as recorded. The log must agree.</param>
/// <param name="pageCount">Pages of the database after it, as recorded. The log must agree.</param>
/// <param name="takePage">Called with each page and its content, in the log's order.</param>
/// <param name="isProved">Whether the caller compares a checksum of the whole log, so that the frames' own checksums need no check.</param>
internal sealed class WalReader(int pageSize, long pageCount, PageTaker takePage, bool isProved = false)
{
    private readonly byte[] piece = new byte[WalFormat.FrameHeaderSize + pageSize];
    private int pieceLength = WalFormat.HeaderSize;
    private int pieceFilled;
    private bool headerRead;
    private bool bigEndian;
    private ulong salts;
    private (uint S0, uint S1) checksum;
    private uint commitPageCount;

    /// <summary>Frames read so far.</summary>
    public long Frames { get; private set; }

    /// <summary>Takes the next bytes.</summary>
    /// <exception cref="InvalidDataException">They do not belong to such a log.</exception>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (pieceFilled == 0 && bytes.Length >= pieceLength)
            {
                var whole = bytes[..pieceLength];
                bytes = bytes[pieceLength..];
                TakePiece(whole);
                continue;
            }

            var count = Math.Min(pieceLength - pieceFilled, bytes.Length);
            bytes[..count].CopyTo(piece.AsSpan(pieceFilled));
            bytes = bytes[count..];
            pieceFilled += count;
            if (pieceFilled == pieceLength)
            {
                pieceFilled = 0;
                TakePiece(piece.AsSpan(0, pieceLength));
            }
        }
    }

    /// <summary>Confirms that the log ended with its commit.</summary>
    /// <exception cref="InvalidDataException">It did not, or it commits another number of pages.</exception>
    public void Finish()
    {
        if (pieceFilled != 0 || !headerRead || (Frames > 0 && commitPageCount == 0))
        {
            throw new InvalidDataException("The log is cut short.");
        }

        if (Frames > 0 && commitPageCount != pageCount)
        {
            throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture, $"The log commits {commitPageCount} pages, but {pageCount} were recorded."));
        }
    }

    private void TakePiece(ReadOnlySpan<byte> bytes)
    {
        if (!headerRead)
        {
            TakeHeader(bytes);
            return;
        }

        var page = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        Frames++;
        if (page == 0 || page > pageCount || commitPageCount != 0 || WalFormat.Salts(bytes[8..]) != salts || !(isProved || HasChecksum(bytes)))
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Frame {Frames} of the log is damaged."));
        }

        commitPageCount = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        takePage(page, bytes[WalFormat.FrameHeaderSize..]);
    }

    private bool HasChecksum(ReadOnlySpan<byte> frame)
    {
        checksum = WalFormat.Checksum(frame[..8], bigEndian, checksum);
        checksum = WalFormat.Checksum(frame[WalFormat.FrameHeaderSize..], bigEndian, checksum);
        return WalFormat.ReadChecksum(frame[16..]) == checksum;
    }

    private void TakeHeader(ReadOnlySpan<byte> header)
    {
        bigEndian = WalFormat.HasBigEndianChecksums(header);
        checksum = WalFormat.Checksum(header[..24], bigEndian, default);
        if (!WalFormat.IsWal(header) || BinaryPrimitives.ReadInt32BigEndian(header[8..]) != pageSize || WalFormat.ReadChecksum(header[24..]) != checksum)
        {
            throw new InvalidDataException("The log's header is damaged, or has another page size.");
        }

        salts = WalFormat.Salts(header[16..]);
        headerRead = true;
        pieceLength = piece.Length;
    }
}
