using System.Globalization;

namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>Times of day at which a task starts every day, in minutes since midnight, in order.</summary>
internal sealed class DayTimes
{
    private const int MinutesOfDay = 24 * 60;
    private const int CatchUpHours = 6;

    private DayTimes(IEnumerable<int> minutes) =>
        Minutes = [.. minutes.Select(minute => ((minute % MinutesOfDay) + MinutesOfDay) % MinutesOfDay).Distinct().Order()];

    /// <summary>The times.</summary>
    public IReadOnlyList<int> Minutes { get; }

    /// <summary>Returns the times of day in UTC at which a trigger can be due.</summary>
    public static DayTimes InUtc(ScheduleTrigger trigger)
    {
        var at = (int)trigger.At.TotalMinutes;
        if (trigger.Interval is not { } interval)
        {
            return new DayTimes([at]);
        }

        var step = Divisor((int)interval.TotalMinutes, MinutesOfDay);
        return new DayTimes(Enumerable.Range(0, MinutesOfDay / step).Select(index => at + (index * step)));
    }

    /// <summary>
    /// Returns the times of day on the clock of a zone at which a trigger can be due, whatever the zone's offset is that day, and some
    /// more: a missed run is made up at one of those, within six hours.
    /// </summary>
    /// <param name="trigger">The trigger.</param>
    /// <param name="zone">The zone of the scheduler's clock.</param>
    /// <param name="now">The time from which the offsets count.</param>
    public static DayTimes OnClock(ScheduleTrigger trigger, TimeZoneInfo zone, DateTimeOffset now)
    {
        var offsets = Offsets(zone, now);
        var local = InUtc(trigger).Minutes.SelectMany(minute => offsets.Select(offset => minute + offset)).ToList();
        var caughtUp = local.Select(minute => ((minute % 60) + 60) % 60).Distinct()
            .SelectMany(minute => Enumerable.Range(0, 24 / CatchUpHours).Select(index => (index * CatchUpHours * 60) + minute));
        return new DayTimes([.. local, .. caughtUp]);
    }

    /// <summary>Groups the times into hours with the same minutes, because cron and systemd accept lists of both.</summary>
    /// <returns>Minutes of the hour, with the hours to which all of them belong.</returns>
    public IReadOnlyList<(IReadOnlyList<int> Minutes, IReadOnlyList<int> Hours)> Lists() =>
    [
        .. Minutes
            .GroupBy(minute => minute % 60, minute => minute / 60)
            .GroupBy(hours => string.Join(',', hours.Select(hour => hour.ToString(CultureInfo.InvariantCulture))), StringComparer.Ordinal)
            .Select(same => ((IReadOnlyList<int>)[.. same.Select(hours => hours.Key).Order()], (IReadOnlyList<int>)[.. same.First()])),
    ];

    /// <summary>Returns the offsets from UTC, in minutes, that a zone has within the next two years. Each lasts for at least some weeks.</summary>
    private static HashSet<int> Offsets(TimeZoneInfo zone, DateTimeOffset now) =>
        [.. Enumerable.Range(0, 2 * 366).Select(day => (int)zone.GetUtcOffset(now.AddDays(day)).TotalMinutes)];

    private static int Divisor(int one, int other) => other == 0 ? one : Divisor(other, one % other);
}
