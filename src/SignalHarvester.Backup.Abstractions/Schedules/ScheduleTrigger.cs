using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>The times of a schedule: moments in UTC, independent of time zones and clock changes.</summary>
public sealed record ScheduleTrigger
{
    // Clocks are corrected by less than that, and timers were observed to be early by less.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(30);

    /// <summary>How often.</summary>
    public ScheduleFrequency Frequency { get; init; }

    /// <summary>
    /// The time of day in UTC. With <see cref="ScheduleFrequency.Every"/>, a time of day at which a run happens if the
    /// interval divides a day.
    /// </summary>
    public TimeSpan At { get; init; }

    /// <summary>The day of the week, in UTC (weekly).</summary>
    public DayOfWeek? DayOfWeek { get; init; }

    /// <summary>The day of the month, in UTC, 1 to 31; the last day of a shorter month (monthly).</summary>
    public int? Day { get; init; }

    /// <summary>The time from one moment to the next, in whole minutes (every).</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Whether it is due always, so that no moment is the next one.</summary>
    public bool IsContinuous => Frequency == ScheduleFrequency.Continuous;

    /// <summary>The longest time from one moment to the next.</summary>
    public TimeSpan Period => Frequency switch
    {
        ScheduleFrequency.Continuous => TimeSpan.Zero,
        ScheduleFrequency.Daily => TimeSpan.FromDays(1),
        ScheduleFrequency.Weekly => TimeSpan.FromDays(7),
        ScheduleFrequency.Monthly => TimeSpan.FromDays(31),
        _ => RequiredInterval,
    };

    /// <summary>The last due moment, up to and including a given one.</summary>
    /// <param name="moment">The moment.</param>
    public DateTimeOffset Last(DateTimeOffset moment)
    {
        var utc = moment.UtcDateTime;
        var due = Frequency switch
        {
            ScheduleFrequency.Continuous => utc,
            ScheduleFrequency.Daily => NotAfter(utc.Date + At, utc, due => due.AddDays(-1)),
            ScheduleFrequency.Weekly => NotAfter(utc.Date.AddDays(-DaysSince(utc.DayOfWeek)) + At, utc, due => due.AddDays(-7)),
            ScheduleFrequency.Monthly => NotAfter(InMonth(utc), utc, due => InMonth(FirstOfMonth(due).AddDays(-1))),
            _ => utc.AddTicks(-PositiveRemainder((utc - DateTime.UnixEpoch - At).Ticks, RequiredInterval.Ticks)),
        };
        return new DateTimeOffset(due, TimeSpan.Zero);
    }

    /// <summary>The next due moment after a given one.</summary>
    /// <param name="moment">The moment.</param>
    public DateTimeOffset Next(DateTimeOffset moment)
    {
        var last = Last(moment);
        return Frequency switch
        {
            ScheduleFrequency.Continuous => last,
            ScheduleFrequency.Daily => last.AddDays(1),
            ScheduleFrequency.Weekly => last.AddDays(7),
            ScheduleFrequency.Monthly => new DateTimeOffset(InMonth(FirstOfMonth(last.UtcDateTime).AddMonths(1)), TimeSpan.Zero),
            _ => last + RequiredInterval,
        };
    }

    /// <summary>The moment that a run should serve now: the last one, if it is later than the last served one; null if there is none.</summary>
    /// <param name="served">The moment that the last run served, or the schedule's beginning: no earlier one counts.</param>
    /// <param name="now">The time. A timer may be early by half a minute.</param>
    public DateTimeOffset? Due(DateTimeOffset served, DateTimeOffset now) => Last(now + Tolerance) is var last && last > served ? last : null;

    /// <summary>The trigger for people, such as <c>weekly on Sunday at 03:00 UTC</c>.</summary>
    public override string ToString() => Frequency switch
    {
        ScheduleFrequency.Daily => $"daily at {Time} UTC",
        ScheduleFrequency.Weekly => $"weekly on {DayOfWeek} at {Time} UTC",
        ScheduleFrequency.Monthly => string.Create(CultureInfo.InvariantCulture, $"monthly on day {Day} at {Time} UTC"),
        ScheduleFrequency.Continuous => "continuous",
        _ => $"every {Length(RequiredInterval)}" + (At == TimeSpan.Zero ? string.Empty : $", counted from {Time} UTC"),
    };

    private string Time => At.ToString(@"hh\:mm", CultureInfo.InvariantCulture);

    private TimeSpan RequiredInterval => Interval ?? TimeSpan.FromHours(1);

    private int DaysSince(DayOfWeek today) => ((int)today - (int)(DayOfWeek ?? System.DayOfWeek.Sunday) + 7) % 7;

    private DateTime InMonth(DateTime month) =>
        new DateTime(month.Year, month.Month, Math.Min(Day ?? 1, DateTime.DaysInMonth(month.Year, month.Month)), 0, 0, 0, DateTimeKind.Utc) + At;

    private static string Length(TimeSpan interval) => string.Join(' ', new[] { (interval.Days, "d"), (interval.Hours, "h"), (interval.Minutes, "m") }
        .Where(part => part.Item1 > 0)
        .Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Item1}{part.Item2}")));

    private static long PositiveRemainder(long ticks, long interval) => ((ticks % interval) + interval) % interval;

    private static DateTime FirstOfMonth(DateTime moment) => new(moment.Year, moment.Month, 1, 0, 0, 0, DateTimeKind.Utc);

    private static DateTime NotAfter(DateTime due, DateTime moment, Func<DateTime, DateTime> earlier) => due <= moment ? due : earlier(due);
}
