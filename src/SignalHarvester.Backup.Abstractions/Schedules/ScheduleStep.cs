namespace SignalHarvester.Backup;

/// <summary>One step of a scheduled run.</summary>
public sealed record ScheduleStep
{
    /// <summary>The step: Create, Verify, Upload, Retention, Metrics, Drill, Scrub, Protect, List or Settings.</summary>
    public required string Step { get; init; }

    /// <summary>What it worked on: the database, the object store, the backup directory or the file of the metrics; null if it concerns all.</summary>
    public string? Target { get; init; }

    /// <summary>The database, as a full path; null if the step concerns several, or none.</summary>
    public string? Database { get; init; }

    /// <summary>The result.</summary>
    public ScheduleResult Result { get; init; }

    /// <summary>The id of its backup; null if there is none.</summary>
    public string? BackupId { get; init; }

    /// <summary>The kind of its backup; null if it made none.</summary>
    public BackupType? Type { get; init; }

    /// <summary>The size of its backup's file, in bytes; null if it made none.</summary>
    public long? Size { get; init; }

    /// <summary>The share of the database's size that the file takes, such as 0.42; null if it made none.</summary>
    public double? Ratio { get; init; }

    /// <summary>How its backup was verified; null if it made or verified none.</summary>
    public VerificationLevel? VerificationLevel { get; init; }

    /// <summary>Its duration.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>The stable id of its error; null if there was none.</summary>
    public string? ErrorId { get; init; }

    /// <summary>What it did, or its error and what to do. Never contains a secret.</summary>
    public string Detail { get; init; } = string.Empty;

    /// <summary>The step on one line.</summary>
    public override string ToString() => $"{Step} {Target}: {Result}{(Detail.Length == 0 ? string.Empty : $" ({Detail})")}";
}
