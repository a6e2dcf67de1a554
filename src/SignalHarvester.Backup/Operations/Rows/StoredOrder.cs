using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>
/// Checks whether the indexes of a table have the values that SQLite computes here, in SQLite's own order. If an application
/// replaces <c>NOCASE</c> or <c>lower()</c>, SQLite finds some rows and not others, and puts rows where the application does
/// not find them.
/// </summary>
internal static class StoredOrder
{
    // SQLite reports no more findings than this for one table.
    private const int Most = 100;

    /// <summary>Returns the first index whose entries are not SQLite's own; null if there is none.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="schema">The name of the database within it.</param>
    /// <param name="table">The table.</param>
    /// <param name="indexes">Its indexes whose order or values an application may have replaced.</param>
    /// <exception cref="SqliteException">SQLite cannot compute or read something that the check needs.</exception>
    public static string? Contradiction(SqliteConnection connection, string schema, SqliteName table, IReadOnlyCollection<SqliteName> indexes)
    {
        if (indexes.Count == 0)
        {
            return null;
        }

        var (found, findings) = First(connection, schema, table.Quoted, table, indexes);

        // Values that the schema does not allow may have used up all findings.
        return found ?? (findings < Most ? null : First(connection, schema, int.MaxValue.ToString(CultureInfo.InvariantCulture), table, indexes).Found);
    }

    /// <summary>Returns the indexes of a table in which texts are in an order that an application may have replaced.</summary>
    public static List<SqliteName> ReplaceableOrders(SqliteConnection connection, string schema, SqliteName table) =>
        [.. SchemaPragmas.Indexes(connection, schema, table).Select(index => index.Name)
            .Where(index => SchemaPragmas.Keys(connection, schema, index).Exists(key => key.Collation != SqliteCollations.Binary))];

    private static (string? Found, int Findings) First(
        SqliteConnection connection, string schema, string argument, SqliteName table, IReadOnlyCollection<SqliteName> indexes)
    {
        // Read step by step, because many rows that are missing in an index take a time that grows with their square.
        using var statement = SqlStatement.Prepare(connection, $"PRAGMA {schema}.integrity_check({argument})");
        var findings = 0;
        for (; statement.Step(); findings++)
        {
            var finding = statement.Text(0);
            if (finding == $"row not in PRIMARY KEY order for {table.Text}")
            {
                return ("its primary key", findings);
            }

            foreach (var index in indexes.Where(index => finding.EndsWith($" index {index.Text}", StringComparison.Ordinal)))
            {
                return ($"its index '{index}'", findings);
            }
        }

        return (null, findings);
    }
}
