namespace SignalHarvester.Backup;

/// <summary>What was brought back of one table.</summary>
public sealed record RestoredRows
{
    /// <summary>The backup that the rows come from.</summary>
    public required string BackupId { get; init; }

    /// <summary>The database that they went into, as a full path.</summary>
    public required string Database { get; init; }

    /// <summary>The table that they are of.</summary>
    public required string Table { get; init; }

    /// <summary>The table that they went into: the same, or a new one beside it.</summary>
    public required string Into { get; init; }

    /// <summary>Rows that were added.</summary>
    public long Inserted { get; init; }

    /// <summary>Rows that were there with other values, and got those of the backup.</summary>
    public long Replaced { get; init; }

    /// <summary>What was brought back, on one line.</summary>
    public override string ToString() => $"{Into}: {Inserted} inserted, {Replaced} replaced";
}
