namespace SignalHarvester.Backup.History;

/// <summary>Which events of a history are wanted. Null is no condition.</summary>
public sealed record EventQuery
{
    /// <summary>Events of these operations.</summary>
    public IReadOnlyCollection<BackupOperation>? Operations { get; init; }

    /// <summary>Events with this end.</summary>
    public BackupEventStatus? Status { get; init; }

    /// <summary>Events that began at this moment or later.</summary>
    public DateTimeOffset? After { get; init; }

    /// <summary>Events that began before this moment.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>Events of this schedule and of what ran for it.</summary>
    public string? Schedule { get; init; }
}
