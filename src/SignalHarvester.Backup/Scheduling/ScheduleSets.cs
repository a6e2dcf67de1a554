using SignalHarvester.Backup.Configuration.Settings;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>Schedules that belong together: those of a settings file, and those recommended for a database.</summary>
public static class ScheduleSets
{
    // After the backup of that night.
    private static readonly TimeSpan ScrubAfter = TimeSpan.FromMinutes(90);
    private static readonly TimeSpan DrillAfter = TimeSpan.FromHours(2);

    /// <summary>Returns the schedules that a settings file has switched on, and one for its retention rules.</summary>
    /// <param name="model">What all have in common; its name is the beginning of theirs, and their group.</param>
    /// <param name="times">The settings.</param>
    /// <param name="keepWithin">The age up to which every backup stays beside hourly ones; null if the settings have one.</param>
    public static IReadOnlyList<ScheduleDefinition> OfSettings(ScheduleDefinition model, ScheduleSettings times, TimeSpan? keepWithin)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(times);
        var backups = new List<(bool IsOn, string Suffix, ScheduleTrigger Trigger, RetentionPolicy Policy)>
        {
            (times.DailyEnabled, "daily", new() { Frequency = ScheduleFrequency.Daily, At = times.DailyTime.ToTimeSpan() }, RetentionPolicy.Daily),
            (times.WeeklyEnabled, "weekly", new() { Frequency = ScheduleFrequency.Weekly, At = times.WeeklyTime.ToTimeSpan(), DayOfWeek = times.WeeklyDay },
                RetentionPolicy.Weekly),
            (times.MonthlyEnabled, "monthly", new() { Frequency = ScheduleFrequency.Monthly, At = times.MonthlyTime.ToTimeSpan(), Day = times.MonthlyDay },
                RetentionPolicy.Monthly),
            (times.HourlyEnabled, "hourly", new() { Frequency = ScheduleFrequency.Every, Interval = times.HourlyInterval }, RetentionPolicy.Daily),
        };
        var retention = new ScheduleTrigger { Frequency = ScheduleFrequency.Daily, At = times.RetentionTime.ToTimeSpan() };
        return
        [
            .. backups.Where(backup => backup.IsOn)
                .Select(backup => Member(backup.Suffix, backup.Trigger, model.Job with { RetentionPolicy = backup.Policy })),
            // The rules would leave only one of each day's backups, even of today's.
            Member("retention", retention, model.Job with
            {
                Action = ScheduleAction.Retention,
                KeepWithin = model.Job.KeepWithin ?? (times.HourlyEnabled ? keepWithin : null),
            }),
        ];

        ScheduleDefinition Member(string suffix, ScheduleTrigger trigger, ScheduleJob job) =>
            model with { Name = $"{model.Name}-{suffix}", Group = model.Name, Trigger = trigger, Job = job };
    }

    /// <summary>Returns what a database needs: its backup every night, a scrub every week, and a restore drill every month.</summary>
    /// <param name="nightly">The backup, at its time; its name is the beginning of all names.</param>
    public static IReadOnlyList<ScheduleDefinition> Recommended(ScheduleDefinition nightly)
    {
        ArgumentNullException.ThrowIfNull(nightly);
        var check = new ScheduleJob
        {
            ConfigurationPath = nightly.Job.ConfigurationPath,
            BackupDirectory = nightly.Job.BackupDirectory,
            ThrottleLimit = nightly.Job.ThrottleLimit,
        };
        return
        [
            nightly with { Name = $"{nightly.Name}-nightly" },
            nightly with
            {
                Name = $"{nightly.Name}-scrub",
                Trigger = Later(ScrubAfter) with { Frequency = ScheduleFrequency.Weekly, DayOfWeek = DayOfWeek.Sunday },
                Job = check with
                {
                    Action = ScheduleAction.Scrub,
                    Targets = nightly.Job.Targets,
                    Upload = nightly.Job.Upload,
                    UploadOptions = nightly.Job.UploadOptions,
                },
            },
            nightly with
            {
                Name = $"{nightly.Name}-drill",
                Trigger = Later(DrillAfter) with { Frequency = ScheduleFrequency.Monthly, Day = 1 },
                Job = check with { Action = ScheduleAction.Drill, Databases = nightly.Job.Databases },
            },
        ];

        ScheduleTrigger Later(TimeSpan time) => new() { At = TimeOnly.FromTimeSpan(nightly.Trigger.At).Add(time).ToTimeSpan() };
    }
}
