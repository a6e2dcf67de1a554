namespace SignalHarvester.Backup;

/// <summary>A registered schedule, as Register- and Get-SHBackupSchedule emit it. All times but NextRunLocal are UTC.</summary>
public sealed record BackupSchedule
{
    /// <summary>Its name. Upper and lower case are the same.</summary>
    public required string Name { get; init; }

    /// <summary>A note for people.</summary>
    public string? Description { get; init; }

    /// <summary>What it does.</summary>
    public ScheduleAction Action { get; init; }

    /// <summary>When it is due.</summary>
    public required ScheduleTrigger Trigger { get; init; }

    /// <summary>The longest random delay of a run.</summary>
    public TimeSpan RandomDelay { get; init; }

    /// <summary>The scheduler that starts it.</summary>
    public ScheduleBackend Backend { get; init; }

    /// <summary>Whether it belongs to the account or to the machine.</summary>
    public ScheduleScope Scope { get; init; }

    /// <summary>Whether the operating system has it unchanged.</summary>
    public ScheduleStatus Status { get; init; }

    /// <summary>Why the status is not Registered, in a sentence; null if it is.</summary>
    public string? StatusReason { get; init; }

    /// <summary>The systemd unit that starts when a run fails; null for none.</summary>
    public string? OnFailure { get; init; }

    /// <summary>The databases, with wildcards; empty if the configuration names them.</summary>
    public IReadOnlyList<string> DatabasePath
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<string>([]);

    /// <summary>The directory of the backups; null if the configuration names it.</summary>
    public string? BackupDirectory { get; init; }

    /// <summary>The stores that each backup is sent to: names, addresses or folders' paths. Empty for those of the configuration.</summary>
    public IReadOnlyList<string> To
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<string>([]);

    /// <summary>The settings file that is read at every run; null for none.</summary>
    public string? ConfigurationPath { get; init; }

    /// <summary>The kind of backup; null if the configuration says it.</summary>
    public BackupStrategy? Type { get; init; }

    /// <summary>The time of the next run; null for a continuous one, which runs always.</summary>
    public DateTimeOffset? NextRun { get; init; }

    /// <summary>The time of the next run, on the clock of this session.</summary>
    public DateTimeOffset? NextRunLocal => NextRun is { } next ? TimeZoneInfo.ConvertTime(next, TimeZoneInfo.Local) : null;

    /// <summary>Whether it runs now; null if that is not known, as for all that are not continuous.</summary>
    public bool? IsRunning { get; init; }

    /// <summary>The start of the last run; null before the first.</summary>
    public DateTimeOffset? LastRun { get; init; }

    /// <summary>The result of the last run; null before the first.</summary>
    public ScheduleResult? LastResult { get; init; }

    /// <summary>The first error of the last run; null if there was none.</summary>
    public string? LastError { get; init; }

    /// <summary>The id of the newest backup of its runs; null for none.</summary>
    public string? LastBackup { get; init; }

    /// <summary>The full path of its definition file.</summary>
    public required string DefinitionPath { get; init; }

    /// <summary>The schedule's name, so that an object can stand in for a name.</summary>
    public override string ToString() => Name;
}
