namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>When backups are made (<c>app.backup.schedule</c>). All times are UTC.</summary>
public sealed record ScheduleSettings
{
    /// <summary>Whether a backup is made in every <see cref="HourlyInterval"/>.</summary>
    public bool HourlyEnabled { get; init; }

    /// <summary>The time from one such backup to the next, 1 minute to 24 hours.</summary>
    public TimeSpan HourlyInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether a daily backup is made.</summary>
    public bool DailyEnabled { get; init; } = true;

    /// <summary>The time of the daily backup.</summary>
    public TimeOnly DailyTime { get; init; } = new(2, 0);

    /// <summary>Whether a weekly backup is made.</summary>
    public bool WeeklyEnabled { get; init; } = true;

    /// <summary>The day of the weekly backup.</summary>
    public DayOfWeek WeeklyDay { get; init; } = DayOfWeek.Sunday;

    /// <summary>The time of the weekly backup.</summary>
    public TimeOnly WeeklyTime { get; init; } = new(3, 0);

    /// <summary>Whether a monthly backup is made.</summary>
    public bool MonthlyEnabled { get; init; } = true;

    /// <summary>The day of the month of the monthly backup, 1 to 31.</summary>
    public int MonthlyDay { get; init; } = 1;

    /// <summary>The time of the monthly backup.</summary>
    public TimeOnly MonthlyTime { get; init; } = new(4, 0);

    /// <summary>The time at which retention is applied, every day.</summary>
    public TimeOnly RetentionTime { get; init; } = new(5, 0);
}
