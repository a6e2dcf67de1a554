namespace SignalHarvester.Backup.Protection;

/// <summary>The sign of life of a thread or a loop, which others look at.</summary>
/// <param name="clock">The clock.</param>
internal sealed class Pulse(TimeProvider clock)
{
    private long due = clock.GetTimestamp();

    /// <summary>Notes that there was progress.</summary>
    /// <param name="allowance">How long the next step may take by itself: a wait, or a transfer with limits of its own.</param>
    public void Beat(TimeSpan allowance = default) =>
        Volatile.Write(ref due, clock.GetTimestamp() + (long)(allowance.TotalSeconds * clock.TimestampFrequency));

    /// <summary>Whether there was progress lately.</summary>
    /// <param name="patience">How long none is no bad sign yet.</param>
    public bool IsAlive(TimeSpan patience) => clock.GetElapsedTime(Volatile.Read(ref due)) <= patience;
}
