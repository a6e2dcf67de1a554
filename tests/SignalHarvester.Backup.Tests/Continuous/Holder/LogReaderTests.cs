using System.Buffers.Binary;
using SignalHarvester.Backup.Continuous.Holder;
using SignalHarvester.Backup.Sqlite.Snapshot;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Holder;

/// <summary>What a log is that does not prove that it is whole.</summary>
public class LogReaderTests
{
    private const int PageSize = 512;
    private const ulong Salts = 0x1122334455667788;

    [Fact]
    public void Commits_are_read_with_each_page_once_in_its_last_version()
    {
        var (log, end) = Log([(1, 0, 1), (2, 0, 2), (1, 2, 3), (2, 2, 4)]);
        var commits = new CommitCollector(long.MaxValue);

        Assert.Equal(0, Read(log, null, end, commits));
        Assert.Equal([2u, 2u], commits.Commits.Select(commit => commit.PageCount));
        Assert.Equal([(1u, 3), (2u, 2)], commits.Commits[0].Pages.Select(page => (page.Number, (int)page.Content.Span[0])));
        Assert.Equal([3u, 4u], commits.Commits.Select(commit => commit.End.Frame));
        Assert.Equal([1u, 2u], commits.Changed.Order());
    }

    [Fact]
    public void Padding_is_no_commit()
    {
        var (log, end) = Log([(1, 0, 1), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 5)]);
        var commits = new CommitCollector(long.MaxValue);

        Assert.Equal(2, Read(log, null, end, commits));
        Assert.Equal(2, commits.Commits.Count);
    }

    [Fact]
    public void A_frame_that_was_dropped_is_noticed()
    {
        var (log, end) = Log([(1, 0, 1), (2, 2, 2), (3, 3, 3), (1, 3, 4)]);
        var dropped = log.ToList();
        dropped.RemoveRange(32 + (2 * (24 + PageSize)), 24 + PageSize);

        Assert.Throws<LogBrokenException>(() => Read([.. dropped], null, end with { MaxFrame = 3 }, new CommitCollector(long.MaxValue)));
    }

    [Fact]
    public void Every_changed_byte_of_what_counts_is_noticed()
    {
        var (log, end) = Log([(1, 0, 1), (2, 2, 2), (1, 2, 3)]);
        for (var at = 0; at < log.Length; at++)
        {
            // The header's version, page size and sequence number count for its own checksum, with which the frames begin.
            var changed = (byte[])log.Clone();
            changed[at] ^= 0x10;
            if (at is >= 24 and < 32)
            {
                continue;
            }

            Assert.Throws<LogBrokenException>(() => Read(changed, null, end, new CommitCollector(long.MaxValue)));
        }
    }

    [Fact]
    public void A_log_that_ends_in_a_transaction_or_in_its_middle_is_noticed()
    {
        var (log, end) = Log([(1, 0, 1), (2, 2, 2), (1, 0, 3)]);
        Assert.Throws<LogBrokenException>(() => Read(log, null, end, new CommitCollector(long.MaxValue)));
        Assert.Throws<LogBrokenException>(() => Read(log[..^1], null, end, new CommitCollector(long.MaxValue)));
    }

    [Fact]
    public void Reading_goes_on_from_a_place_and_only_from_that_of_the_same_log()
    {
        var (log, end) = Log([(1, 0, 1), (2, 2, 2), (3, 3, 3)]);
        var (_, middle) = Log([(1, 0, 1), (2, 2, 2)]);
        var commits = new CommitCollector(long.MaxValue);
        Assert.Equal(0, Read(log, middle, end, commits));
        Assert.Equal(3u, Assert.Single(Assert.Single(commits.Commits).Pages).Number);

        Assert.Throws<LogBrokenException>(() => Read(log, middle with { FrameChecksum = (1, 2) }, end, new CommitCollector(long.MaxValue)));
        Assert.True(new LogReader(PageSize).Continues(Reader(log), LogPlace.Of(middle)!.Value));
        Assert.False(new LogReader(PageSize).Continues(Reader(log), LogPlace.Of(middle with { FrameChecksum = (1, 2) })!.Value));
        Assert.False(new LogReader(PageSize).Continues(Reader(log), LogPlace.Of(middle with { Salts = 5 })!.Value));
    }

    [Fact]
    public void Frames_that_SQLite_leaves_unsealed_belong_to_the_log()
    {
        var (log, end) = Log([(1, 0, 1), (2, 0, 2), (3, 3, 3)], unsealed: 2);
        var commits = new CommitCollector(long.MaxValue);
        Assert.Equal(0, Read(log, null, end, commits));
        Assert.Equal([1u, 2u, 3u], Assert.Single(commits.Commits).Pages.Select(page => page.Number));
    }

    [Fact]
    public void Without_room_for_the_pages_their_numbers_are_kept()
    {
        var (log, end) = Log([(1, 0, 1), (2, 2, 2), (3, 3, 3), (9, 9, 4)]);
        var commits = new CommitCollector(3 * PageSize);
        Read(log, null, end, commits);
        Assert.False(commits.HasPages);
        Assert.Equal(3, commits.Commits.Count);
        Assert.All(commits.Commits, commit => Assert.Empty(commit.Pages));
        Assert.Equal([1u, 2u, 3u, 9u], commits.Changed.Order());
    }

    private static int Read(byte[] log, WalIndexHeader? from, WalIndexHeader to, CommitCollector commits) =>
        new LogReader(PageSize).Read(Reader(log), from, to, commits);

    private static ReadLog Reader(byte[] log) => (offset, buffer) =>
    {
        if (offset + buffer.Length > log.Length)
        {
            return false;
        }

        log.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
        return true;
    };

    /// <summary>Makes a log of frames: page, pages of the database if it ends a transaction, the byte that fills it.</summary>
    private static (byte[] Log, WalIndexHeader End) Log((uint Page, uint Commit, byte Content)[] frames, int unsealed = 0)
    {
        var log = new byte[32 + (frames.Length * (24 + PageSize))];
        var checksum = WalFormat.WriteHeader(log, PageSize, Salts);
        for (var index = 0; index < frames.Length; index++)
        {
            var frame = log.AsSpan(32 + (index * (24 + PageSize)), 24 + PageSize);
            frame[24..].Fill(frames[index].Content);
            checksum = WalFormat.WriteFrame(frame, frames[index].Page, frames[index].Commit, Salts, checksum);
            if (index + 1 == unsealed)
            {
                frame[8..24].Clear();
                checksum = default;
            }
        }

        var pages = frames[^1].Commit == 0 ? 1 : frames[^1].Commit;
        return (log, new WalIndexHeader((uint)frames.Length, pages, checksum, BinaryPrimitives.ReadUInt64LittleEndian(log.AsSpan(16)), 1));
    }
}
