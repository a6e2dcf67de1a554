namespace SignalHarvester.Backup;

/// <summary>How one table, index, view or trigger differs between two states of a database.</summary>
public sealed record BackupDifference
{
    /// <summary>The object's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its type: table, index, view or trigger.</summary>
    public required string ObjectType { get; init; }

    /// <summary>Its change.</summary>
    public DifferenceKind Change { get; init; }

    /// <summary>Whether its definition (columns, SQL) differs.</summary>
    public bool SchemaChanged { get; init; }

    /// <summary>Rows only in the later state.</summary>
    public long RowsAdded { get; init; }

    /// <summary>Rows only in the earlier state.</summary>
    public long RowsRemoved { get; init; }

    /// <summary>Rows with the same key but other values.</summary>
    public long RowsChanged { get; init; }

    /// <summary>The earlier state: a backup's id.</summary>
    public required string Reference { get; init; }

    /// <summary>The later state: a backup's id, or the path of a database.</summary>
    public required string Difference { get; init; }

    /// <summary>What could not be compared, and why; null if everything was compared.</summary>
    public string? Detail { get; init; }

    /// <summary>The difference on one line.</summary>
    public override string ToString() => $"{ObjectType} {Name}: {Change} (+{RowsAdded} -{RowsRemoved} ~{RowsChanged})";
}
