using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Protection;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

public sealed class BulkPaceTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(5);

    private readonly FakeTimeProvider clock = new();

    [Fact]
    public void A_load_without_pause_is_backed_up_at_once_and_then_less_and_less_often()
    {
        var pace = new BulkPace(clock);
        foreach (var seconds in (int[])[0, 5, 10, 20, 40, 60, 60])
        {
            if (seconds > 0)
            {
                clock.Advance(TimeSpan.FromSeconds(seconds) - Moment);
                Assert.False(pace.IsDue(Moment));
                clock.Advance(Moment);
            }

            Assert.True(pace.IsDue(Moment));
            pace.Made();
        }
    }

    [Fact]
    public void A_load_that_pauses_is_backed_up_then_and_one_that_has_ended_is_forgotten()
    {
        var pace = new BulkPace(clock);
        pace.Made();
        Assert.False(pace.IsDue(Moment));
        Assert.True(pace.IsDue(TimeSpan.FromSeconds(1)));
        pace.Made();
        Assert.False(pace.IsDue(Moment));
        pace.Ended();
        Assert.True(pace.IsDue(Moment));
    }
}
