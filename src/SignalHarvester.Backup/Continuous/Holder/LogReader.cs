using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>
/// Reads the frames of a log between two places and gives whole commits. Each frame must have the log's salts and continue the
/// running checksum, and the last one must end with the checksum that the index has for it.
/// </summary>
/// <param name="pageSize">Bytes in a page.</param>
internal sealed class LogReader(int pageSize)
{
    private readonly int batchSize = Math.Max(1, (1 << 18) / (WalFormat.FrameHeaderSize + pageSize)) * (WalFormat.FrameHeaderSize + pageSize);
    private readonly byte[] lastCommit = new byte[pageSize];
    private (uint Page, uint PageCount) lastCommitFrame;

    /// <summary>Reads.</summary>
    /// <param name="log">The log.</param>
    /// <param name="from">The place up to which this log was read; null for its beginning.</param>
    /// <param name="to">The end, which is committed.</param>
    /// <param name="commits">Takes the commits.</param>
    /// <returns>
    /// The number of commit frames that only repeat the commit frame before, which are not counted as commits: with synchronous=FULL and
    /// without powersafe overwrite, SQLite pads a sector with them.
    /// </returns>
    /// <exception cref="LogBrokenException">The log does not prove that it leads from one place to the other.</exception>
    /// <exception cref="Sqlite.SqliteIOException">The operating system failed.</exception>
    public int Read(ReadLog log, WalIndexHeader? from, WalIndexHeader to, CommitCollector commits)
    {
        Span<byte> header = stackalloc byte[WalFormat.HeaderSize];
        if (to.MaxFrame == (from?.MaxFrame ?? 0))
        {
            return from is null || from.FrameChecksum == to.FrameChecksum ? 0 : throw new LogBrokenException("the log has another end than before");
        }

        if (!log(0, header) || !WalFormat.IsWal(header) || WalFormat.Salts(header[16..]) != to.Salts)
        {
            throw new LogBrokenException("the log was begun anew");
        }

        // A thousand databases at rest would else keep a buffer each.
        var buffer = ArrayPool<byte>.Shared.Rent(batchSize);
        try
        {
            return Read(log, header, buffer.AsSpan(0, batchSize), from, to, commits);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Whether a log has, at the frame where reading ended, the salts and the checksum of then.</summary>
    /// <param name="log">The log.</param>
    /// <param name="place">The place up to which it was read.</param>
    /// <exception cref="Sqlite.SqliteIOException">The operating system failed.</exception>
    public bool Continues(ReadLog log, LogPlace place)
    {
        Span<byte> header = stackalloc byte[WalFormat.HeaderSize];
        Span<byte> frame = stackalloc byte[WalFormat.FrameHeaderSize];
        return log(0, header) && WalFormat.Salts(header[16..]) == place.Salts
            && log(WalFormat.FrameOffset(place.Frame, pageSize), frame) && WalFormat.ReadChecksum(frame[16..]) == place.Checksum;
    }

    private int Read(
        ReadLog log, ReadOnlySpan<byte> header, Span<byte> buffer, WalIndexHeader? from, WalIndexHeader to, CommitCollector commits)
    {
        var bigEndian = WalFormat.HasBigEndianChecksums(header);
        var checksum = from?.FrameChecksum ?? WalFormat.Checksum(header[..24], bigEndian, default);
        var frameSize = WalFormat.FrameHeaderSize + pageSize;
        var repeats = 0;
        var afterCommit = false;
        for (var first = (from?.MaxFrame ?? 0) + 1; first <= to.MaxFrame;)
        {
            var count = (int)Math.Min((uint)(buffer.Length / frameSize), to.MaxFrame - first + 1);
            var batch = buffer[..(count * frameSize)];
            if (!log(WalFormat.FrameOffset(first, pageSize), batch))
            {
                throw new LogBrokenException("the log is shorter than its index says");
            }

            for (var i = 0; i < count; i++)
            {
                var frame = batch.Slice(i * frameSize, frameSize);
                var content = frame[WalFormat.FrameHeaderSize..];
                if (!WalFormat.TryContinue(frame, to.Salts, bigEndian, ref checksum) || WalFormat.ReadChecksum(frame[16..]) != checksum)
                {
                    throw new LogBrokenException(string.Create(CultureInfo.InvariantCulture, $"frame {first + i} of the log does not continue the one before"));
                }

                var page = BinaryPrimitives.ReadUInt32BigEndian(frame);
                var pageCount = BinaryPrimitives.ReadUInt32BigEndian(frame[4..]);
                if (afterCommit && (page, pageCount) == lastCommitFrame && content.SequenceEqual(lastCommit))
                {
                    repeats++;
                    continue;
                }

                commits.Take(page, content);
                afterCommit = pageCount != 0;
                if (afterCommit)
                {
                    lastCommitFrame = (page, pageCount);
                    content.CopyTo(lastCommit);
                    commits.Commit(pageCount, new LogPlace(to.Salts, first + (uint)i, checksum));
                }
            }

            first += (uint)count;
        }

        return checksum != to.FrameChecksum ? throw new LogBrokenException("the log's checksum differs from the one in its index")
            : !afterCommit ? throw new LogBrokenException("the log ends in the middle of a transaction")
            : repeats;
    }
}
