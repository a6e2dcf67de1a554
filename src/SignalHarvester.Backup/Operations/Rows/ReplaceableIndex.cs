using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>An index whose order or values the application may have replaced.</summary>
/// <param name="Definition">Its definition.</param>
/// <param name="RestsOn">The columns from which its entries are computed.</param>
/// <param name="CaseFolded">Its columns in the order of NOCASE, and whether each is its first one.</param>
internal sealed record ReplaceableIndex(
    IndexDefinition Definition, IReadOnlyCollection<SqliteName> RestsOn, IReadOnlyList<(SqliteName Column, bool IsFirst)> CaseFolded)
{
    /// <summary>Its name.</summary>
    public SqliteName Name => Definition.Name;

    /// <summary>Reads an index.</summary>
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

    /// <summary>Whether an index in another state has the same content for each row.</summary>
    public bool IsLike(ReplaceableIndex other) =>
        Definition.Columns.Select(column => (column.Sql, column.Collation, column.IsDescending))
            .SequenceEqual(other.Definition.Columns.Select(column => (column.Sql, column.Collation, column.IsDescending)))
        && string.Equals(Definition.Condition, other.Definition.Condition, StringComparison.Ordinal)
        && Definition.Uses.Collations.SetEquals(other.Definition.Uses.Collations);
}
