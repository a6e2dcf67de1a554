using CsCheck;
using SignalHarvester.Backup.Scheduling.Schedulers;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>Schedulers that know only local time start a run at the right moments in UTC all the same.</summary>
public sealed class DayTimesTests
{
    private static readonly TimeZoneInfo[] AllZones = [.. TimeZoneInfo.GetSystemTimeZones()];

    /// <summary>Difficult zones: half hours, quarters, half-hour summer time, two dates at once, summer time across midnight.</summary>
    public static TheoryData<string> Zones() =>
        [
            "Etc/UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
            "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", "Africa/Casablanca", "America/Santiago",
        ];

    [Fact]
    public void The_clock_of_every_zone_shows_a_time_from_the_list_at_every_moment()
    {
        Gen.Select(ScheduleTriggerTests.Triggers, Gen.Int[0, AllZones.Length - 1], Gen.Long[0, 365L * 86400]).Sample(
            (trigger, index, seconds) =>
            {
                var times = DayTimes.OnClock(trigger, AllZones[index], Scheduled.Now).Minutes;
                var due = trigger.Next(Scheduled.Now.AddSeconds(seconds));
                Assert.Contains((int)TimeZoneInfo.ConvertTime(due, AllZones[index]).TimeOfDay.TotalMinutes, times);
            },
            iter: Iterations.Of(300));
    }

    [Theory]
    [MemberData(nameof(Zones))]
    public void A_year_of_a_clock_that_is_put_on_and_back_serves_every_moment_at_its_time_and_once(string id)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(id);
        ScheduleTrigger[] triggers =
        [
            new() { Frequency = ScheduleFrequency.Daily, At = new TimeSpan(1, 30, 0) },
            new() { Frequency = ScheduleFrequency.Weekly, At = new TimeSpan(1, 0, 0), DayOfWeek = DayOfWeek.Sunday },
            new() { Frequency = ScheduleFrequency.Monthly, At = new TimeSpan(23, 45, 0), Day = 31 },
            new() { Frequency = ScheduleFrequency.Every, Interval = TimeSpan.FromHours(7) },
        ];
        foreach (var trigger in triggers)
        {
            var times = DayTimes.OnClock(trigger, zone, Scheduled.Now).Minutes.ToHashSet();
            var served = Scheduled.Now;
            var expected = trigger.Next(served);
            // Every offset and every time here is a whole number of quarter hours.
            for (var now = Scheduled.Now; now < Scheduled.Now.AddDays(365); now = now.AddMinutes(15))
            {
                if (times.Contains((int)TimeZoneInfo.ConvertTime(now, zone).TimeOfDay.TotalMinutes) && trigger.Due(served, now) is { } due)
                {
                    Assert.Equal(expected, now);
                    served = due;
                    expected = trigger.Next(now);
                }
            }

            Assert.True(served > Scheduled.Now.AddDays(330), $"{trigger} in {id}: the last moment served is {served}");
        }
    }

    [Fact]
    public void What_was_missed_is_made_up_within_six_hours()
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var times = DayTimes.OnClock(Scheduled.Daily, zone, Scheduled.Now).Minutes;
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 1, 6 * 60));
        Assert.Equal([0, 180, 240, 360, 720, 1080], times);
    }
}
