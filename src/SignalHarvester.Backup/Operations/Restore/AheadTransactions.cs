using SignalHarvester.Backup.Continuous.Stream;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// The newest transactions of a stream whose times are still to come: the clock was ahead for a while. Times of a stream never go back, so all later
/// transactions have the same time until it has come, and no moment tells them apart.
/// </summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last transaction.</param>
/// <param name="Until">The time that the last one has.</param>
internal sealed record AheadTransactions(long First, long Last, DateTimeOffset Until)
{
    // Two clocks that are right differ by less.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>Finds them.</summary>
    /// <param name="segments">The segments of the stream, in order.</param>
    /// <param name="read">Reads the header of one; null if it cannot be read.</param>
    /// <param name="now">The present.</param>
    /// <returns>Null if there are none.</returns>
    public static async Task<AheadTransactions?> FindAsync(
        IReadOnlyList<StoredSegment> segments, Func<StoredSegment, Task<SegmentHeader?>> read, DateTimeOffset now)
    {
        var edge = now + Skew;
        if (await LastUpToAsync(segments.Count - 1, -1).ConfigureAwait(false) is not { } newest || newest.Time <= edge)
        {
            return null;
        }

        var (low, high, first) = (-1, segments.Count, newest);
        while (high - low > 1)
        {
            var middle = low + ((high - low) / 2);
            if (await LastUpToAsync(middle, low).ConfigureAwait(false) is { } header && header.Time > edge)
            {
                (high, first) = (middle, header);
            }
            else
            {
                low = middle;
            }
        }

        var number = first.Commits.FirstOrDefault(commit => commit.Time > edge)?.Number ?? first.FirstTransaction;
        return new AheadTransactions(number, newest.LastTransaction, newest.Time);

        // The time of a seal is that of another clock, and a segment that cannot be read says nothing.
        async Task<SegmentHeader?> LastUpToAsync(int index, int end)
        {
            for (; index > end; index--)
            {
                if (await read(segments[index]).ConfigureAwait(false) is { } header && header.Kind != SegmentKind.Seal)
                {
                    return header;
                }
            }

            return null;
        }
    }

    /// <summary>Whether a restore to a moment before their time may have passed over some of them.</summary>
    /// <param name="found">The transaction that it found; null if nothing is known of what it restores.</param>
    public bool ArePassedOver(long? found) => found is null || (found < Last && found + 1 >= First);
}
