using System.Globalization;
using CsCheck;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>When a schedule is due.</summary>
public sealed class ScheduleTriggerTests
{
    private static readonly int[] RoundIntervals = [1, 5, 15, 60, 90, 420, 1440, 2160];

    internal static readonly Gen<ScheduleTrigger> Triggers =
        from frequency in Gen.Int[0, 3]
        from at in Gen.Int[0, (24 * 60) - 1]
        from weekday in Gen.Int[0, 6]
        from day in Gen.Int[1, 31]
        from interval in Gen.OneOf(Gen.Int[0, RoundIntervals.Length - 1].Select(index => RoundIntervals[index]), Gen.Int[1, 31 * 1440])
        select new ScheduleTrigger
        {
            Frequency = (ScheduleFrequency)frequency,
            At = TimeSpan.FromMinutes(at),
            DayOfWeek = frequency == 1 ? (DayOfWeek)weekday : null,
            Day = frequency == 2 ? day : null,
            Interval = frequency == 3 ? TimeSpan.FromMinutes(interval) : null,
        };

    private static readonly Gen<DateTimeOffset> Moments = Gen.Long[0, 60L * 365 * 86400].Select(seconds => DateTimeOffset.UnixEpoch.AddSeconds(seconds));

    [Theory]
    [InlineData("Daily", null, null, "2026-11-26T01:59:59Z", "2026-11-25T02:00Z", "2026-11-26T02:00Z")]
    [InlineData("Daily", null, null, "2026-11-26T02:00:00Z", "2026-11-26T02:00Z", "2026-11-27T02:00Z")]
    [InlineData("Weekly", DayOfWeek.Sunday, null, "2026-11-26T12:00Z", "2026-11-22T02:00Z", "2026-11-29T02:00Z")]
    [InlineData("Weekly", DayOfWeek.Thursday, null, "2026-11-26T01:00Z", "2026-11-19T02:00Z", "2026-11-26T02:00Z")]
    [InlineData("Monthly", null, 1, "2026-03-01T01:00Z", "2026-02-01T02:00Z", "2026-03-01T02:00Z")]
    [InlineData("Monthly", null, 31, "2028-02-29T02:00Z", "2028-02-29T02:00Z", "2028-03-31T02:00Z")]
    [InlineData("Monthly", null, 30, "2027-03-01T00:00Z", "2027-02-28T02:00Z", "2027-03-30T02:00Z")]
    [InlineData("Monthly", null, 15, "2027-01-03T00:00Z", "2026-12-15T02:00Z", "2027-01-15T02:00Z")]
    public void The_last_and_the_next_moment_are_those_of_the_calendar_in_utc(
        string frequency, DayOfWeek? weekday, int? day, string moment, string last, string next)
    {
        var trigger = new ScheduleTrigger { Frequency = Enum.Parse<ScheduleFrequency>(frequency), At = TimeSpan.FromHours(2), DayOfWeek = weekday, Day = day };
        Assert.Equal(Moment(last), trigger.Last(Moment(moment)));
        Assert.Equal(Moment(next), trigger.Next(Moment(moment)));

        // Another offset is the same moment.
        Assert.Equal(Moment(next), trigger.Next(Moment(moment).ToOffset(TimeSpan.FromHours(-9))));
    }

    [Fact]
    public void Moments_follow_each_other_without_a_gap_and_keep_to_the_trigger()
    {
        Gen.Select(Triggers, Moments).Sample(
            (trigger, moment) =>
            {
                var last = trigger.Last(moment);
                var next = trigger.Next(moment);
                Assert.True(last <= moment && moment < next);
                Assert.Equal(last, trigger.Last(next.AddTicks(-1)));
                Assert.Equal(next, trigger.Next(last));
                Assert.Equal(next, trigger.Last(next));
                Assert.Equal(0, last.Second + last.Millisecond);
                switch (trigger.Frequency)
                {
                    case ScheduleFrequency.Every:
                        Assert.Equal(trigger.Interval, next - last);
                        break;
                    case ScheduleFrequency.Monthly:
                        Assert.Equal(trigger.At, last.TimeOfDay);
                        Assert.Equal(Math.Min(trigger.Day!.Value, DateTime.DaysInMonth(last.Year, last.Month)), last.Day);
                        Assert.Equal(1, ((next.Year - last.Year) * 12) + next.Month - last.Month);
                        break;
                    default:
                        Assert.Equal(trigger.At, last.TimeOfDay);
                        Assert.Equal(TimeSpan.FromDays(trigger.Frequency == ScheduleFrequency.Weekly ? 7 : 1), next - last);
                        Assert.True(trigger.DayOfWeek is null || trigger.DayOfWeek == last.DayOfWeek);
                        break;
                }
            },
            iter: Iterations.Of(2000));
    }

    [Fact]
    public void A_moment_is_due_once()
    {
        var trigger = new ScheduleTrigger { Frequency = ScheduleFrequency.Daily, At = TimeSpan.FromHours(2) };
        var registered = Moment("2026-11-25T12:00Z");
        Assert.Null(trigger.Due(registered, Moment("2026-11-26T01:59Z")));
        Assert.Equal(Moment("2026-11-26T02:00Z"), trigger.Due(registered, Moment("2026-11-26T01:59:45Z")));
        Assert.Equal(Moment("2026-11-26T02:00Z"), trigger.Due(registered, Moment("2026-11-26T23:00Z")));
        Assert.Null(trigger.Due(Moment("2026-11-26T02:00Z"), Moment("2026-11-26T23:00Z")));

        // Of several missed moments, the last is made up.
        Assert.Equal(Moment("2026-12-01T02:00Z"), trigger.Due(registered, Moment("2026-12-01T08:00Z")));
    }

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
