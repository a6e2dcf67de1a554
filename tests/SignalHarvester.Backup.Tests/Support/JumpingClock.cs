namespace SignalHarvester.Backup.Tests.Support;

/// <summary>A clock that stands still and can be set to any moment, even an earlier one.</summary>
internal sealed class JumpingClock(DateTimeOffset start) : TimeProvider
{
    private long ticks = start.UtcTicks;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

    public void Jump(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
}
