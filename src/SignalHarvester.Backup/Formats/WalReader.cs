using System.Buffers.Binary;
using System.Globalization;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Takes an unpacked write-ahead log of one transaction in pieces of any size, holds it against the file format, and
/// hands its pages on.
/// </summary>
/// <param name="pageSize">Bytes in a page, as recorded; the log must agree.</param>
/// <param name="pageCount">Pages of the database after it, as recorded; the log must agree.</param>
/// <param name="takePage">Called with each page and its content, in the log's order.</param>
internal sealed class WalReader(int pageSize, long pageCount, PageTaker takePage)
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
    /// <exception cref="InvalidDataException">They are not those of such a log.</exception>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(pieceLength - pieceFilled, bytes.Length);
            bytes[..count].CopyTo(piece.AsSpan(pieceFilled));
            bytes = bytes[count..];
            pieceFilled += count;
            if (pieceFilled == pieceLength)
            {
                TakePiece();
                pieceFilled = 0;
            }
        }
    }

    /// <summary>Confirms that the log ended with its commit.</summary>
    /// <exception cref="InvalidDataException">It did not, or commits another number of pages.</exception>
    public void Finish()
    {
        if (pieceFilled != 0 || !headerRead || (Frames > 0 && commitPageCount == 0))
        {
            throw new InvalidDataException("The log is cut short.");
        }

        if (Frames > 0 && commitPageCount != pageCount)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"The log commits {commitPageCount} pages, {pageCount} were recorded."));
        }
    }

    private void TakePiece()
    {
        if (!headerRead)
        {
            TakeHeader();
            return;
        }

        var page = BinaryPrimitives.ReadUInt32BigEndian(piece);
        Frames++;
        checksum = WalFormat.Checksum(piece.AsSpan(0, 8), bigEndian, checksum);
        checksum = WalFormat.Checksum(piece.AsSpan(WalFormat.FrameHeaderSize), bigEndian, checksum);
        if (page == 0 || page > pageCount || commitPageCount != 0 || WalFormat.Salts(piece.AsSpan(8)) != salts || WalFormat.ReadChecksum(piece.AsSpan(16)) != checksum)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"Frame {Frames} of the log is damaged."));
        }

        commitPageCount = BinaryPrimitives.ReadUInt32BigEndian(piece.AsSpan(4));
        takePage(page, piece.AsSpan(WalFormat.FrameHeaderSize));
    }

    private void TakeHeader()
    {
        var header = piece.AsSpan(0, WalFormat.HeaderSize);
        bigEndian = WalFormat.HasBigEndianChecksums(header);
        checksum = WalFormat.Checksum(header[..24], bigEndian, default);
        if (!WalFormat.IsWal(header) || BinaryPrimitives.ReadInt32BigEndian(header[8..]) != pageSize || WalFormat.ReadChecksum(header[24..]) != checksum)
        {
            throw new InvalidDataException("The log's header is damaged, or is that of another page size.");
        }

        salts = WalFormat.Salts(header[16..]);
        headerRead = true;
        pieceLength = piece.Length;
    }
}
