namespace SignalHarvester.Backup;

/// <summary>One run of a schedule: what Invoke-SHBackupSchedule emits.</summary>
public sealed record ScheduleRun
{
    /// <summary>The exit code of a run whose result is Partial.</summary>
    public const int PartialExitCode = 3;

    /// <summary>The schedule's name.</summary>
    public required string Name { get; init; }

    /// <summary>When the run began.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>How long it took, a random delay not counted.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>How it ended.</summary>
    public ScheduleResult Result { get; init; }

    /// <summary>Why there was nothing to do; null where there was.</summary>
    public string? Reason { get; init; }

    /// <summary>The steps, in the order that they ended in.</summary>
    public IReadOnlyList<ScheduleStep> Steps
    {
        get;
        // An array, which PowerShell can index from both ends; the compiler's own read-only list it cannot.
        init => field = value as ScheduleStep[] ?? value.ToArray();
    } = [];

    /// <summary>The ids of the backups that were made.</summary>
    public IReadOnlyList<string> Backups
    {
        get;
        init => field = value as string[] ?? value.ToArray();
    } = [];

    /// <summary>The exit code of the task's process: 0 where all went well or there was nothing to do, 3 where some of it failed, 1 where all of it did.</summary>
    public int ExitCode => Result switch
    {
        ScheduleResult.Partial => PartialExitCode,
        ScheduleResult.Failed => 1,
        _ => 0,
    };

    /// <summary>The run on one line.</summary>
    public override string ToString() => $"{Name}: {Result}{(Reason is null ? string.Empty : $" ({Reason})")}";
}
