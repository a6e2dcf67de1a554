using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations;

/// <summary>The columns of a table that are stored, and its primary key.</summary>
/// <param name="Columns">The stored columns, in their order.</param>
/// <param name="Key">The columns of the primary key, in its order; empty where there is none.</param>
/// <param name="HasRowId">Whether its rows have a number of their own.</param>
internal sealed record TableShape(IReadOnlyList<string> Columns, IReadOnlyList<string> Key, bool HasRowId)
{
    /// <summary>Reads a table's shape; null where there is no ordinary table of that name.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="schema">The name of the database within it.</param>
    /// <param name="table">The table.</param>
    public static TableShape? TryRead(SqliteConnection connection, string schema, string table)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT wr FROM pragma_table_list WHERE schema = '{schema}' AND type = 'table' AND lower(name) = lower($table) AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
        command.Parameters.AddWithValue("$table", table);
        if (command.ExecuteScalar() is not long withoutRowId)
        {
            return null;
        }

        command.CommandText = $"SELECT name, pk FROM pragma_table_xinfo($table, '{schema}') WHERE hidden = 0 ORDER BY cid";
        List<(string Name, long Key)> columns = [];
        using (var rows = command.ExecuteReader())
        {
            while (rows.Read())
            {
                columns.Add((rows.GetString(0), rows.GetInt64(1)));
            }
        }

        return new TableShape(
            [.. columns.Select(column => column.Name)],
            [.. columns.Where(column => column.Key > 0).OrderBy(column => column.Key).Select(column => column.Name)],
            withoutRowId == 0);
    }

    /// <summary>Names in a list, as SQL takes them.</summary>
    public static string List(IEnumerable<string> names, string prefix = "") => string.Join(", ", names.Select(name => prefix + SqliteConnections.Quote(name)));
}
