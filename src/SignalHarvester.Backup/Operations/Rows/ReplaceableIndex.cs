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

    /// <summary>Finds what is to be known of an index.</summary>
    public static ReplaceableIndex Of(IndexDefinition index)
    {
        var restsOn = index.Columns.Select(column => column.Sql).Append(index.Condition).OfType<string>().SelectMany(Named);
        var folded = index.Columns.Index()
            .Where(column => column.Item is { IsKey: true, Uses: null } && column.Item.Collation == SqliteName.Parse("NOCASE"))
            .SelectMany(column => Named(column.Item.Sql).Select(name => (name, column.Index == 0)));
        return new ReplaceableIndex(index, [.. restsOn.Distinct()], [.. folded]);

        IEnumerable<SqliteName> Named(string sql) => SqlToken.Of(sql).Select(token => SqliteName.Of(token.Text)).Where(name => index.Table.Column(name) is not null);
    }

    /// <summary>Whether another one, in another state, holds the same of each row.</summary>
    public bool IsLike(ReplaceableIndex other) =>
        Definition.Columns.Select(column => (column.Sql, column.Collation)).SequenceEqual(other.Definition.Columns.Select(column => (column.Sql, column.Collation)))
        && string.Equals(Definition.Condition, other.Definition.Condition, StringComparison.Ordinal);
}
