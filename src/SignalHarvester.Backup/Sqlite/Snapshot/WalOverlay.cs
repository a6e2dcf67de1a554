using System.Buffers.Binary;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// The pages that a snapshot takes from the write-ahead log instead of the database file: for each page, its last frame within
/// the snapshot, unless a checkpoint had copied that frame before. Sorted by page; eight bytes for each.
/// </summary>
internal sealed class WalOverlay
{
    /// <summary>The overlay of an empty log.</summary>
    public static readonly WalOverlay Empty = new([], []);

    private readonly uint[] pages;
    private readonly uint[] frames;

    private WalOverlay(uint[] pages, uint[] frames)
    {
        this.pages = pages;
        this.frames = frames;
    }

    /// <summary>
    /// Reads the log up to the snapshot's last frame, and compares every frame's salts, and the running checksum over all of
    /// them, with what SQLite pinned.
    /// </summary>
    /// <param name="wal">The log.</param>
    /// <param name="snapshot">The snapshot, which is pinned.</param>
    /// <param name="copied">
    /// The number of frames that a checkpoint had copied to the database file, before the snapshot was taken. They are not read, as SQLite itself does not
    /// read them (minFrame in its wal.c): a log that did not begin anew for a long time is much larger than what of it is not copied.
    /// </param>
    /// <param name="pageSize">Bytes in a page.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="SnapshotLostException">The log is not the one that was pinned.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static WalOverlay Read(SqliteFile wal, WalIndexHeader snapshot, uint copied, int pageSize, CancellationToken cancellation)
    {
        if (snapshot.MaxFrame == 0)
        {
            return Empty;
        }

        var header = ReadHeader(wal, snapshot);
        var bigEndian = WalFormat.HasBigEndianChecksums(header);
        var checksum = copied == 0
            ? WalFormat.Checksum(header.AsSpan(0, 24), bigEndian, default)
            : ChecksumAt(copied, wal, snapshot, pageSize) ?? throw new SnapshotLostException("the write-ahead log was restarted");
        return Read(wal, snapshot, pageSize, copied + 1, bigEndian, checksum, cancellation);
    }

    /// <summary>Reads the frames after the place where another snapshot of the same log ended.</summary>
    /// <returns>Null if the log does not provably continue from that place: it was restarted in between.</returns>
    /// <exception cref="SnapshotLostException">The log is not the one that was pinned.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static WalOverlay? ReadAfter(WalPosition position, SqliteFile wal, WalIndexHeader snapshot, int pageSize, CancellationToken cancellation)
    {
        if (position.Salts != snapshot.Position?.Salts || position.Frame < 1 || position.Frame > snapshot.MaxFrame)
        {
            return null;
        }

        var header = ReadHeader(wal, snapshot);
        return ChecksumAt(position.Frame, wal, snapshot, pageSize) is { } checksum && WalIndexHeader.Hex(checksum) == position.Checksum
            ? Read(wal, snapshot, pageSize, (uint)position.Frame + 1, WalFormat.HasBigEndianChecksums(header), checksum, cancellation)
            : null;
    }

    /// <summary>The running checksum at a frame, as the frame has it; null if it is none of the snapshot's log.</summary>
    private static (uint S0, uint S1)? ChecksumAt(long frame, SqliteFile wal, WalIndexHeader snapshot, int pageSize)
    {
        Span<byte> header = stackalloc byte[WalFormat.FrameHeaderSize];
        return wal.Read(WalFormat.FrameOffset(frame, pageSize), header) && WalFormat.Salts(header[8..]) == snapshot.Salts
            ? WalFormat.ReadChecksum(header[16..])
            : null;
    }

    private static byte[] ReadHeader(SqliteFile wal, WalIndexHeader snapshot)
    {
        if (!wal.IsOpen)
        {
            throw new SnapshotLostException("SQLite gives no access to its write-ahead log");
        }

        var header = new byte[WalFormat.HeaderSize];
        return wal.Read(0, header) && WalFormat.IsWal(header) && WalFormat.Salts(header.AsSpan(16)) == snapshot.Salts
            ? header
            : throw new SnapshotLostException("the write-ahead log was restarted");
    }

    private static WalOverlay Read(
        SqliteFile wal,
        WalIndexHeader snapshot,
        int pageSize,
        uint firstFrame,
        bool bigEndian,
        (uint S0, uint S1) checksum,
        CancellationToken cancellation)
    {
        var latest = new Dictionary<uint, uint>();
        var frameSize = WalFormat.FrameHeaderSize + pageSize;
        var buffer = new byte[frameSize * Math.Max(1, (1 << 20) / frameSize)];
        for (var first = firstFrame; first <= snapshot.MaxFrame;)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = (int)Math.Min((uint)(buffer.Length / frameSize), snapshot.MaxFrame - first + 1);
            var batch = buffer.AsSpan(0, count * frameSize);
            if (!wal.Read(WalFormat.FrameOffset(first, pageSize), batch))
            {
                throw new SnapshotLostException("the write-ahead log is shorter than the snapshot");
            }

            for (var i = 0; i < count; i++)
            {
                var frame = batch.Slice(i * frameSize, frameSize);
                if (!WalFormat.TryContinue(frame, snapshot.Salts, bigEndian, ref checksum))
                {
                    throw new SnapshotLostException("the write-ahead log was restarted");
                }

                latest[BinaryPrimitives.ReadUInt32BigEndian(frame)] = first + (uint)i;
            }

            first += (uint)count;
        }

        if (checksum != snapshot.FrameChecksum)
        {
            throw new SnapshotLostException("the write-ahead log's checksum differs from the snapshot's");
        }

        var pages = latest.Keys.ToArray();
        var frames = latest.Values.ToArray();
        Array.Sort(pages, frames);
        return new WalOverlay(pages, frames);
    }

    /// <summary>Confirms that the log is still the one of the snapshot.</summary>
    /// <exception cref="SnapshotLostException">It was restarted.</exception>
    public static void ConfirmSame(SqliteFile wal, WalIndexHeader snapshot) => ReadHeader(wal, snapshot);

    /// <summary>The number of pages in the frames.</summary>
    public int Count => pages.Length;

    /// <summary>Returns the pages up to a last one, ascending, with their frames.</summary>
    public IEnumerable<(uint Page, uint Frame)> UpTo(long lastPage) =>
        pages.Zip(frames).TakeWhile(entry => entry.First <= lastPage);

    /// <summary>Returns the pages of a range that are in the log, ascending, with their frames.</summary>
    /// <param name="firstPage">The first page; pages count from 1.</param>
    /// <param name="count">The number of pages in the range.</param>
    public IEnumerable<(uint Page, uint Frame)> InRange(uint firstPage, int count)
    {
        var index = Array.BinarySearch(pages, firstPage);
        for (index = index < 0 ? ~index : index; index < pages.Length && pages[index] - firstPage < count; index++)
        {
            yield return (pages[index], frames[index]);
        }
    }
}
