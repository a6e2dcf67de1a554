using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// The pages that the segments of a plan change, each in the version of the plan's transaction. The segments are read newest first, so each page
/// is taken once.
/// </summary>
internal sealed class StreamPages : IDisposable
{
    private const int MostReadsAtOnce = 16;
    private const long MostBytesAtOnce = 64 << 20;
    private const int LockByteOffset = 0x40000000;

    private readonly TakenPages taken;
    private readonly PageSet pages;

    // The fewest pages that the database had since: what was beyond them before is not part of it.
    private long fewest;

    private StreamPages(string folder, int pageSize, uint pageCount)
    {
        PageSize = pageSize;
        PageCount = pageCount;
        fewest = pageCount;
        taken = new TakenPages(folder, pageSize, pageCount);
        pages = new PageSet(pageCount);
    }

    /// <summary>Bytes in a page.</summary>
    public int PageSize { get; }

    /// <summary>Pages of the database after the transaction.</summary>
    public uint PageCount { get; }

    /// <summary>Whether a segment was encrypted.</summary>
    public bool IsEncrypted { get; private set; }

    /// <summary>The number of pages that were taken.</summary>
    public long Count => pages.Count;

    /// <summary>The pages that were taken, ascending.</summary>
    public IEnumerable<long> Numbers => pages.Pages();

    /// <summary>Reads the segments of a plan.</summary>
    /// <param name="plan">The plan; it has segments.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="startPageCount">Pages of the database in the backup below the segments.</param>
    /// <param name="folder">A private folder.</param>
    /// <param name="context">Progress, cancellation, and the secrets for an encrypted stream.</param>
    /// <exception cref="BackupException">StreamHole; CloudObjectNotFound or CloudObjectChanged: a segment has gone; and the other Cloud… errors.</exception>
    public static async Task<StreamPages> ReadAsync(StreamPlan plan, StreamStore stream, long startPageCount, string folder, OperationContext context)
    {
        using var meter = context.Meter($"Fetching {plan.SegmentCount} segments from {stream.Location}", plan.SegmentBytes);
        StreamPages? result = null;
        SegmentHeader? after = null;
        try
        {
            await foreach (var (segment, content) in NewestFirstAsync(plan, stream, context).ConfigureAwait(false))
            {
                meter.Advance(segment.Info.Length);
                var isFirst = segment == plan.Segments[0];
                if ((after is not null && StreamHole.WhyNotJoined(content.Header.LastTransaction, content.Header, after) is not null)
                    || (isFirst && StreamHole.WhyNotJoined(plan.From.Position.Transaction, before: null, content.Header) is not null))
                {
                    throw await StreamHole.FindAsync(stream, plan, moment: null, context.Identities, context.Cancellation).ConfigureAwait(false);
                }

                after = content.Header;
                foreach (var commit in content.Commits.Reverse()
                    .Where(commit => commit.Number <= plan.Transaction && commit.Number > plan.From.Position.Transaction))
                {
                    result ??= new StreamPages(folder, content.Header.PageSize, commit.PageCount);
                    result.IsEncrypted |= content.IsEncrypted;
                    result.Take(commit);
                }
            }

            result!.TakeUnwritten(startPageCount);
            result.taken.Complete();
            return result;
        }
        catch (Exception exception)
        {
            result?.Dispose();
            if (exception is BackupException fault && StreamHole.IsOf(fault) && !StreamHole.IsGone(fault))
            {
                throw await StreamHole.FindAsync(stream, plan, moment: null, context.Identities, context.Cancellation).ConfigureAwait(false);
            }

            throw;
        }
    }

    /// <summary>Reads one of the pages that were taken.</summary>
    public void Read(long page, Span<byte> buffer) => taken.Overlay(buffer, (page - 1) * PageSize);

    /// <inheritdoc/>
    public void Dispose() => taken.Dispose();

    private void Take(FollowedCommit commit)
    {
        fewest = Math.Min(fewest, commit.PageCount);
        foreach (var page in commit.Pages)
        {
            if (page.Number <= fewest && page.Number != LockPage && pages.Add(page.Number))
            {
                taken.Add(page.Number, page.Content.Span);
            }
        }
    }

    /// <summary>
    /// Takes zeros for pages that the database has gained and nobody has written: SQLite does not write a page that it adds and at once no longer
    /// needs. What the backup below has in their places was cut off since.
    /// </summary>
    private void TakeUnwritten(long startPageCount)
    {
        var zeros = new byte[PageSize];
        for (var page = Math.Min(fewest, startPageCount) + 1; page <= PageCount; page++)
        {
            if (page != LockPage && pages.Add(page))
            {
                taken.Add(page, zeros);
            }
        }
    }

    private long LockPage => (LockByteOffset / PageSize) + 1;

    /// <summary>Reads the segments, several at once, and returns them newest first.</summary>
    private static async IAsyncEnumerable<(StoredSegment Segment, SegmentContent Content)> NewestFirstAsync(
        StreamPlan plan, StreamStore stream, OperationContext context)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        var reading = new Queue<(StoredSegment Segment, Task<SegmentContent> Content)>();
        try
        {
            var bytes = 0L;
            for (var next = plan.Segments.Count - 1; next >= 0 || reading.Count > 0;)
            {
                while (next >= 0 && reading.Count < MostReadsAtOnce
                    && (reading.Count == 0 || bytes + plan.Segments[next].Info.Length <= MostBytesAtOnce))
                {
                    var segment = plan.Segments[next--];
                    bytes += segment.Info.Length;
                    reading.Enqueue((segment, Task.Run(() => stream.ReadAsync(segment, context.Identities, stopping.Token), stopping.Token)));
                }

                var (read, content) = reading.Dequeue();
                bytes -= read.Info.Length;
                yield return (read, await content.ConfigureAwait(false));
            }
        }
        finally
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(reading.Select(one => (Task)one.Content)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
