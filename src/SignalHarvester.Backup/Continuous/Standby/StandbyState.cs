namespace SignalHarvester.Backup.Continuous.Standby;

/// <summary>What is known of a standby between two processes.</summary>
internal sealed record StandbyState
{
    /// <summary>The protected database, as its stream records it.</summary>
    public required string Database { get; init; }

    /// <summary>Where the stream is, as a text.</summary>
    public required string Store { get; init; }

    /// <summary>How far the standby has come; null before its first restore has ended.</summary>
    public StandbyPlace? Place { get; init; }

    /// <summary>Whether a restore was begun, so that the file may be what it was or what it became.</summary>
    public bool IsRestoring { get; init; }

    /// <summary>
    /// Where it is next: written before the standby's log is, so after a kill between the two, the log itself says which of both is true.
    /// </summary>
    public StandbyPlace? Next { get; init; }

    /// <summary>What tells the seal of its promotion from another machine's; null unless one was begun.</summary>
    public ulong? Sealer { get; init; }
}
