using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>An index whose order or values its application may have replaced.</summary>
/// <param name="Definition">What it is.</param>
/// <param name="RestsOn">The columns that its entries come of.</param>
/// <param name="CaseFolded">Those of its columns that are in the order of NOCASE, and whether it is its first one.</param>
internal sealed record ReplaceableIndex(
    IndexDefinition Definition, IReadOnlyCollection<SqliteName> RestsOn, IReadOnlyList<(SqliteName Column, bool IsFirst)> CaseFolded)
{
    /// <summary>Its name.</summary>
    public SqliteName Name => Definition.Name;

    /// <summary>Reads what is to be known of it.</summary>
    public static ReplaceableIndex Read(SqliteConnection connection, IndexDefinition index, TableDefinition table)
    {
        var columns = index.Columns.Select(column => column.Sql).Append(index.Condition).OfType<string>()
            .SelectMany(SqlToken.Of).Select(token => SqliteName.Of(token.Text)).Where(name => table.Column(name) is not null);
        var folded = SchemaPragmas.Keys(connection, "main", index.Name)
            .Select((key, place) => (key.Name, key.Collation, IsFirst: place == 0))
            .Where(key => key.Collation == SqliteCollations.NoCase && table.Column(key.Name) is not null)
            .Select(key => (key.Name, key.IsFirst));
        return new ReplaceableIndex(index, [.. columns.Distinct()], [.. folded]);
    }

    /// <summary>Whether another one, in another state, holds the same of each row.</summary>
    public bool IsLike(ReplaceableIndex other) =>
        Definition.Columns.Select(column => (column.Sql, column.Collation, column.IsDescending))
            .SequenceEqual(other.Definition.Columns.Select(column => (column.Sql, column.Collation, column.IsDescending)))
        && string.Equals(Definition.Condition, other.Definition.Condition, StringComparison.Ordinal)
        && Definition.Uses.Collations.SetEquals(other.Definition.Uses.Collations);
}
