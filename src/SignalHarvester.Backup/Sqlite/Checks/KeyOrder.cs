using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The order of a table that is kept by its primary key, where an application may have replaced a collation of it.</summary>
internal sealed class KeyOrder
{
    private readonly SqliteName table;
    private readonly IReadOnlyList<(SqliteName Column, SqliteName Collation, bool IsDescending)> key;

    private KeyOrder(SqliteName table, IReadOnlyList<(SqliteName Column, SqliteName Collation, bool IsDescending)> key)
    {
        this.table = table;
        this.key = key;
    }

    /// <summary>Finds it; null where no collation of the key can be another than SQLite's own.</summary>
    public static KeyOrder? TryFind(SqliteConnection connection, SqliteName table)
    {
        var key = SqlStatement.List(
            connection,
            $"SELECT x.name, x.coll, x.desc FROM pragma_index_list({table.Literal}) l JOIN pragma_index_xinfo(l.name) x ON x.key WHERE l.origin = 'pk' ORDER BY x.seqno",
            row => (row.Name(0), row.Name(1), row.Number(2) != 0));
        var uses = new SqlDependencies();
        key.ForEach(column => uses.Add(column.Item2));
        return uses.HasReplaceableOrder ? new KeyOrder(table, key) : null;
    }

    /// <summary>
    /// Whether two neighbours are the wrong way round in whatever order: texts of ASCII letters and digits alone, which every
    /// collation for people sorts as SQLite's does.
    /// </summary>
    public bool IsBrokenInAnyOrder(SqliteConnection connection)
    {
        List<string> former = [], here = [], larger = [], smaller = [], plain = [];
        foreach (var (place, (column, collation, isDescending)) in key.Index())
        {
            former.Add($"lag({column.Quoted}) OVER () AS p{place}");
            here.Add($"{column.Quoted} AS k{place}");
            larger.Add($"{(isDescending ? "k" : "p")}{place} COLLATE {collation.Quoted}");
            smaller.Add($"{(isDescending ? "p" : "k")}{place}");
            plain.Add($"(typeof(p{place}) <> 'text' OR p{place} NOT GLOB '*[^A-Za-z0-9]*')");
            plain.Add($"(typeof(k{place}) <> 'text' OR k{place} NOT GLOB '*[^A-Za-z0-9]*')");
        }

        return SqlStatement.Number(connection, $"""
            SELECT EXISTS (
              SELECT 1 FROM (SELECT {string.Join(", ", former)}, {string.Join(", ", here)} FROM {table.Quoted} NOT INDEXED)
              WHERE p0 IS NOT NULL AND ({string.Join(", ", larger)}) >= ({string.Join(", ", smaller)}) AND {string.Join(" AND ", plain)})
            """) == 1;
    }
}
