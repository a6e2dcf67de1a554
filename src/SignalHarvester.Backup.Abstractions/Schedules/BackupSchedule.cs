namespace SignalHarvester.Backup;

/// <summary>A schedule as it is registered: what Register- and Get-SHBackupSchedule emit. All times are UTC.</summary>
public sealed record BackupSchedule
{
    /// <summary>The name that it is registered under. Upper and lower case are the same.</summary>
    public required string Name { get; init; }

    /// <summary>A note for people.</summary>
    public string? Description { get; init; }

    /// <summary>What it does.</summary>
    public ScheduleAction Action { get; init; }

    /// <summary>When it is due.</summary>
    public required ScheduleTrigger Trigger { get; init; }

    /// <summary>The time by which each run is put off at random, at most.</summary>
    public TimeSpan RandomDelay { get; init; }

    /// <summary>The scheduler that starts it.</summary>
    public ScheduleBackend Backend { get; init; }

    /// <summary>Whose it is.</summary>
    public ScheduleScope Scope { get; init; }

    /// <summary>Whether the operating system has it as it should be.</summary>
    public ScheduleStatus Status { get; init; }

    /// <summary>The databases, with wildcards; empty where the configuration names them.</summary>
    public IReadOnlyList<string> DatabasePath
    {
        get;
        // An array, which PowerShell can index from both ends; the compiler's own read-only list it cannot.
        init => field = value as string[] ?? value.ToArray();
    } = [];

    /// <summary>The directory of the backups; null where the configuration names it.</summary>
    public string? BackupDirectory { get; init; }

    /// <summary>The settings file that is read at every run; null for none.</summary>
    public string? ConfigurationPath { get; init; }

    /// <summary>The kind of backup; null where the configuration says it.</summary>
    public BackupStrategy? Type { get; init; }

    /// <summary>The next moment that it is due at.</summary>
    public DateTimeOffset NextRun { get; init; }

    /// <summary>When the last run began; null before the first.</summary>
    public DateTimeOffset? LastRun { get; init; }

    /// <summary>How the last run ended; null before the first.</summary>
    public ScheduleResult? LastResult { get; init; }

    /// <summary>The first thing that went wrong in the last run; null where nothing did.</summary>
    public string? LastError { get; init; }

    /// <summary>The id of the newest backup that a run of it made; null for none.</summary>
    public string? LastBackup { get; init; }

    /// <summary>The full path of the file that says what it does.</summary>
    public required string DefinitionPath { get; init; }

    /// <summary>The schedule's name, so that an object can stand where a name is wanted.</summary>
    public override string ToString() => Name;
}
