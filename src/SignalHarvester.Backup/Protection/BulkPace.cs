namespace SignalHarvester.Backup.Protection;

/// <summary>
/// Sets the pace of the backups that take the place of transactions for which there is no room. While a bulk load goes on, each of them would be followed by
/// the next one at once: thirty in fifteen seconds were measured, and a full one in between, because a chain has an end.
/// </summary>
/// <param name="clock">The clock.</param>
internal sealed class BulkPace(TimeProvider clock)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    /// <summary>After this time without a commit the load is over, or pauses.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private TimeSpan pause;
    private long last;

    /// <summary>Whether the next one may begin.</summary>
    /// <param name="quiet">The time since the last commit.</param>
    public bool IsDue(TimeSpan quiet) => quiet >= Quiet || clock.GetElapsedTime(last) >= pause;

    /// <summary>One was made. The next one has more time, as long as nothing has ended the load.</summary>
    public void Made()
    {
        last = clock.GetTimestamp();
        pause = pause == TimeSpan.Zero ? Shortest : pause * 2 < Longest ? pause * 2 : Longest;
    }

    /// <summary>Everything is stored, so the load is over.</summary>
    public void Ended() => pause = TimeSpan.Zero;
}
