using System.Globalization;

namespace SignalHarvester.Backup;

/// <summary>
/// Rows that refer to missing rows by one foreign key. SQLite allows them unless the application switches the enforcement of foreign
/// keys on.
/// </summary>
public sealed record ForeignKeyViolation
{
    /// <summary>The table of the rows.</summary>
    public required string Table { get; init; }

    /// <summary>The columns of the foreign key, separated by commas.</summary>
    public required string Columns { get; init; }

    /// <summary>The table to which they refer.</summary>
    public required string Parent { get; init; }

    /// <summary>The number of these rows.</summary>
    public long Rows { get; init; }

    /// <summary>The rows and what they lack, on one line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Rows} {(Rows == 1 ? "row" : "rows")} of {Table} ({Columns}) {(Rows == 1 ? "refers" : "refer")} to missing rows of {Parent}");
}
