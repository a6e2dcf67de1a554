namespace SignalHarvester.Backup;

/// <summary>The restored rows of one table.</summary>
public sealed record RestoredRows
{
    /// <summary>The backup with the rows.</summary>
    public required string BackupId { get; init; }

    /// <summary>The database that received them, as a full path.</summary>
    public required string Database { get; init; }

    /// <summary>The table in the backup.</summary>
    public required string Table { get; init; }

    /// <summary>The table that received them: the same, or a new one beside it.</summary>
    public required string Into { get; init; }

    /// <summary>Rows that were added.</summary>
    public long Inserted { get; init; }

    /// <summary>Existing rows that got the values of the backup.</summary>
    public long Replaced { get; init; }

    /// <summary>The result on one line.</summary>
    public override string ToString() => $"{Into}: {Inserted} inserted, {Replaced} replaced";
}
