using SignalHarvester.Backup.Continuous;
using SignalHarvester.Backup.Continuous.Stream;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous;

public sealed class FollowerTests : IDisposable
{
    private const long Room = 1 << 20;

    private readonly JumpingClock clock = new();
    private readonly List<string?> noted = [];
    private readonly Follower follower;

    public FollowerTests() => follower = new Follower(clock, Room, noted.Add);

    public void Dispose() => follower.Dispose();

    /// <summary>A moment finds a transaction by its time, so a later one never has an earlier time.</summary>
    [Fact]
    public void Times_never_go_back_whatever_the_clock_does_and_the_lag_does_not_follow_it()
    {
        var began = clock.GetUtcNow();
        foreach (var jump in (int[])[0, 60, -120, 1, 30, -1])
        {
            clock.Jump(TimeSpan.FromMinutes(jump));
            Commit();
        }

        var times = follower.Peek(long.MaxValue).Select(commit => commit.Commit.Time).ToList();
        Assert.Equal(times.Order(), times);
        Assert.InRange(times[^1] - began, TimeSpan.FromMinutes(60) - TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(61));
        Assert.All(times, time => Assert.Equal(0, time.Ticks % TimeSpan.TicksPerMillisecond));
        Assert.All(follower.Peek(long.MaxValue), commit => Assert.True(commit.Commit.Earliest <= commit.Commit.Time));
        Assert.InRange(follower.Lag, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void What_was_read_before_a_gap_waits_on_and_the_gap_counts_once_until_a_backup_has_mended_it()
    {
        follower.Resume(5, clock.GetUtcNow(), default);
        Commit();
        follower.Need(BaseReason.Gap, "something was missed");
        follower.Need(BaseReason.Replaced, "something else was missed");
        Commit();

        Assert.Equal([6L], follower.Peek(long.MaxValue).Select(commit => commit.Commit.Number));
        Assert.Equal((1, 8), (follower.Gaps, follower.Transaction));
        Assert.Equal(["something was missed", "something else was missed"], noted);
        follower.BaseKept();
        Assert.Equal(2, noted.Count);
    }

    private void Commit()
    {
        var commits = follower.Begin();
        commits.Take(1, new byte[512]);
        commits.Commit(1, default);
        follower.Accept(commits);
    }

    /// <summary>The system's clock, whose date somebody sets. What measures time is not moved by that.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private TimeSpan ahead;

        public void Jump(TimeSpan by) => ahead += by;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
    }
}
