namespace SignalHarvester.Backup.History;

/// <summary>The wanted events of a history. Null means any.</summary>
public sealed record EventQuery
{
    /// <summary>Events of these operations.</summary>
    public IReadOnlyCollection<BackupOperation>? Operations { get; init; }

    /// <summary>Events with this result.</summary>
    public BackupEventStatus? Status { get; init; }

    /// <summary>Events that began at this moment or later.</summary>
    public DateTimeOffset? After { get; init; }

    /// <summary>Events that began before this moment.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>Events of this schedule and of its operations.</summary>
    public string? Schedule { get; init; }
}
