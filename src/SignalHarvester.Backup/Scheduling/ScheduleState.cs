namespace SignalHarvester.Backup.Scheduling;

/// <summary>The record of a schedule's last run.</summary>
internal sealed record ScheduleState
{
    /// <summary>The last served moment: a run for it has ended, successful or not.</summary>
    public DateTimeOffset? Served { get; init; }

    /// <summary>When the last run began.</summary>
    public DateTimeOffset LastRun { get; init; }

    /// <summary>Its result.</summary>
    public ScheduleResult LastResult { get; init; }

    /// <summary>Its first error.</summary>
    public string? LastError { get; init; }

    /// <summary>The full paths of its databases.</summary>
    public IReadOnlyList<string> Databases { get; init; } = [];

    /// <summary>The id of the newest backup that a run made.</summary>
    public string? LastBackup { get; init; }
}
