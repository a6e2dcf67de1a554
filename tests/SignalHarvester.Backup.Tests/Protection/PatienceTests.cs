using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

public sealed class PatienceTests
{
    [Theory]
    [InlineData(0.95)]
    [InlineData(2.5)]
    public async Task A_wait_ends_when_it_is_over_although_its_timers_end_early(double seconds)
    {
        var clock = new HastyClock();
        var wait = TimeSpan.FromSeconds(seconds);
        var context = new OperationContext(clock, _ => { }, TestContext.Current.CancellationToken);
        var patience = new Patience(
            "/data/app.db", StoreLocation.OfAddress("file:///store")!, new ProtectionStanding(), new Pulse(clock), isToldToStop: () => false, show: () => { },
            context);
        var began = clock.GetTimestamp();

        await patience.PauseAsync(wait, TestContext.Current.CancellationToken);

        Assert.InRange(clock.GetElapsedTime(began), wait, wait + TimeSpan.FromMilliseconds(10));
    }
}
