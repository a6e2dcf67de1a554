namespace SignalHarvester.Backup;

/// <summary>One step of a scheduled run.</summary>
public sealed record ScheduleStep
{
    /// <summary>The step: Create, Verify, Upload, Retention or Metrics.</summary>
    public required string Step { get; init; }

    /// <summary>What it worked on: the database, the object store, the backup directory or the file of the metrics; null where it concerns all.</summary>
    public string? Target { get; init; }

    /// <summary>How it ended.</summary>
    public ScheduleResult Result { get; init; }

    /// <summary>The id of the backup that it made or worked on; null where there is none.</summary>
    public string? BackupId { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The stable id of what went wrong; null where nothing did.</summary>
    public string? ErrorId { get; init; }

    /// <summary>What it did, or what went wrong and what to do. Never holds a secret.</summary>
    public string Detail { get; init; } = string.Empty;

    /// <summary>The step on one line.</summary>
    public override string ToString() => $"{Step} {Target}: {Result}{(Detail.Length == 0 ? string.Empty : $" ({Detail})")}";
}
