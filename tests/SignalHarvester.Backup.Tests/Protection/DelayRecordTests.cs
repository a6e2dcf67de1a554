using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Protection;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>The measured RPO that status, metrics and health show.</summary>
public class DelayRecordTests
{
    [Fact]
    public void The_delays_of_the_last_day_are_known_to_a_tenth()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 2, 0, 0, TimeSpan.Zero));
        var delays = new DelayRecord(clock);
        Assert.Null(delays.Quantile(0.5));
        for (var commit = 0; commit < 980; commit++)
        {
            delays.Add(TimeSpan.FromMilliseconds(10));
        }

        clock.Advance(TimeSpan.FromHours(3));
        for (var commit = 0; commit < 19; commit++)
        {
            delays.Add(TimeSpan.FromSeconds(1));
        }

        delays.Add(TimeSpan.FromSeconds(5));

        IsAbout(TimeSpan.FromMilliseconds(10), delays.Quantile(0.5));
        IsAbout(TimeSpan.FromSeconds(1), delays.Quantile(0.99));
        IsAbout(TimeSpan.FromSeconds(5), delays.Quantile(1));

        clock.Advance(TimeSpan.FromHours(22));
        IsAbout(TimeSpan.FromSeconds(1), delays.Quantile(0.5));
        clock.Advance(TimeSpan.FromHours(3));
        Assert.Null(delays.Quantile(1));
    }

    private static void IsAbout(TimeSpan expected, TimeSpan? found) => Assert.InRange(found!.Value, expected, expected * 1.1);
}
