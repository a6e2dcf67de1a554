namespace SignalHarvester.Backup.Scheduling;

/// <summary>What is remembered of a schedule's last run.</summary>
internal sealed record ScheduleState
{
    /// <summary>The moment that was served last: a run for it has come to an end, good or bad.</summary>
    public DateTimeOffset? Served { get; init; }

    /// <summary>When the last run began.</summary>
    public DateTimeOffset LastRun { get; init; }

    /// <summary>How it ended.</summary>
    public ScheduleResult LastResult { get; init; }

    /// <summary>The first thing that went wrong in it.</summary>
    public string? LastError { get; init; }

    /// <summary>The full paths of the databases that it concerned.</summary>
    public IReadOnlyList<string> Databases { get; init; } = [];

    /// <summary>The id of the newest backup that a run made.</summary>
    public string? LastBackup { get; init; }
}
