namespace SignalHarvester.Backup;

/// <summary>One run of a schedule, as Invoke-SHBackupSchedule emits it.</summary>
public sealed record ScheduleRun
{
    /// <summary>The exit code of a run whose result is Partial.</summary>
    public const int PartialExitCode = 3;

    /// <summary>
    /// The exit code of a continuous run that must not start again by itself: another writer has its stream, or the database cannot be protected.
    /// </summary>
    public const int RefusedExitCode = 4;

    private static readonly string[] Refusals = [BackupErrorId.StreamFenced, BackupErrorId.StreamNotOurs, BackupErrorId.ProtectionRefused];

    /// <summary>The schedule's name.</summary>
    public required string Name { get; init; }

    /// <summary>The start of the run.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>Its duration, without a random delay.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The result.</summary>
    public ScheduleResult Result { get; init; }

    /// <summary>Why there was nothing to do; null if the run did something.</summary>
    public string? Reason { get; init; }

    /// <summary>The steps, in the order in which they ended.</summary>
    public IReadOnlyList<ScheduleStep> Steps
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<ScheduleStep>([]);

    /// <summary>The ids of the new backups.</summary>
    public IReadOnlyList<string> Backups
    {
        get;
        init => field = ReadableValues.List(value);
    } = ReadableValues.List<string>([]);

    /// <summary>
    /// The exit code of the task's process: 0 for success or nothing to do, 3 if a part failed, 1 if everything failed, 4 if a person has to
    /// decide before continuous protection can go on.
    /// </summary>
    public int ExitCode => Result switch
    {
        ScheduleResult.Failed or ScheduleResult.Partial when Steps.Any(step => Refusals.Contains(step.ErrorId)) => RefusedExitCode,
        ScheduleResult.Partial => PartialExitCode,
        ScheduleResult.Failed => 1,
        _ => 0,
    };

    /// <summary>The run on one line.</summary>
    public override string ToString() => $"{Name}: {Result}{(Reason is null ? string.Empty : $" ({Reason})")}";
}
