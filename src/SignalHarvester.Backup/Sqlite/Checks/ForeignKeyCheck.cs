using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Runs <c>PRAGMA foreign_key_check</c>, https://sqlite.org/pragma.html#pragma_foreign_key_check . A key in an order that
/// only the application has is looked for with a stand-in, and that it is not found says nothing.
/// </summary>
internal static class ForeignKeyCheck
{
    /// <summary>Checks all foreign keys of a database.</summary>
    /// <returns>Which tables refer to nothing in which others; and which seem to, but may not.</returns>
    public static (IReadOnlyList<string> Broken, IReadOnlyList<string> Unknown) Run(SqliteConnection connection)
    {
        var found = SqlStatement.List(
            connection,
            "SELECT DISTINCT \"table\", parent, fkid FROM pragma_foreign_key_check",
            row => (Table: row.Name(0), Parent: row.Name(1), Key: row.Number(2)));
        var byOrder = found.ToLookup(key => IsOrderKnown(connection, key.Table, key.Key), key => (key.Table, key.Parent));
        return (
            [.. byOrder[true].Distinct().Select(key => $"{key.Table} has rows that refer to nothing in {key.Parent}")],
            [.. byOrder[false].Distinct().Select(key => $"whether rows of {key.Table} refer to something in {key.Parent}")]);
    }

    /// <summary>Whether SQLite itself has the collations of the index that the key is looked for in.</summary>
    private static bool IsOrderKnown(SqliteConnection connection, SqliteName table, long key) => SqlStatement.Number(
        connection,
        $"""
        SELECT NOT EXISTS (
          SELECT 1 FROM pragma_foreign_key_list({table.Literal}) k
          JOIN pragma_index_list(k."table") l ON l."unique"
          JOIN pragma_index_xinfo(l.name) x ON x.key AND (x.name = k."to" COLLATE NOCASE OR (k."to" IS NULL AND l.origin = 'pk'))
          WHERE k.id = {key} AND upper(x.coll) NOT IN ('BINARY', 'NOCASE', 'RTRIM'))
        """) != 0;
}
