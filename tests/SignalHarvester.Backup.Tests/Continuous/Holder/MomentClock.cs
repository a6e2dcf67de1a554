namespace SignalHarvester.Backup.Tests.Continuous.Holder;

/// <summary>
/// The system's clock, which can be put forward. Once, when it is next read, it lets others act: that is a moment between two steps of whoever
/// reads it, which no other process could find.
/// </summary>
internal sealed class MomentClock : TimeProvider
{
    private TimeSpan ahead;
    private Action? next;

    /// <summary>What others do when the clock is next read for a pause, and once only.</summary>
    public void AtNextLook(Action act) => next = act;

    public void Advance(TimeSpan by) => ahead += by;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;

    public override long GetTimestamp()
    {
        Interlocked.Exchange(ref next, null)?.Invoke();
        return base.GetTimestamp() + (long)(ahead.TotalSeconds * TimestampFrequency);
    }
}
