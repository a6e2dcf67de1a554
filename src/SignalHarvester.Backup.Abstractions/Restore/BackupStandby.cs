namespace SignalHarvester.Backup;

/// <summary>A standby: a file that follows the stream of a protected database, or did until it was promoted.</summary>
public sealed record BackupStandby
{
    /// <summary>The standby's full path.</summary>
    public required string Path { get; init; }

    /// <summary>The protected database that it follows, by the path that its stream records.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>Where the stream is.</summary>
    public required StoreLocation Store { get; init; }

    /// <summary>The last transaction that is in it.</summary>
    public required long Transaction { get; init; }

    /// <summary>When that was committed, in UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>The restore with which it began; null if it went on where it had ended.</summary>
    public BackupRestoreResult? Restored { get; init; }

    /// <summary>Whether it is the primary now.</summary>
    public bool IsPromoted { get; init; }

    /// <summary>The path.</summary>
    public override string ToString() => Path;
}
