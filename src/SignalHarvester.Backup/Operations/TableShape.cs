using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations;

/// <summary>The columns of a table that are stored, and those that tell its rows apart.</summary>
/// <param name="Columns">The stored columns, in their order.</param>
/// <param name="Keys">The columns of the primary key; where there is none, a name of the rowid.</param>
/// <param name="HasOwnKey">Whether the key is among the columns.</param>
internal sealed record TableShape(IReadOnlyList<string> Columns, IReadOnlyList<string> Keys, bool HasOwnKey)
{
    private static readonly string[] RowIdNames = ["rowid", "_rowid_", "oid"];

    /// <summary>Reads a table's shape; null where there is no ordinary table of that name.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="schema">The name of the database within it.</param>
    /// <param name="table">The table.</param>
    public static TableShape? TryRead(SqliteConnection connection, string schema, string table)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {schema}.sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND lower(name) = lower($table)";
        command.Parameters.AddWithValue("$table", table);
        if ((long)command.ExecuteScalar()! == 0)
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

        List<string> names = [.. columns.Select(column => column.Name)];
        List<string> keys = [.. columns.Where(column => column.Key > 0).OrderBy(column => column.Key).Select(column => column.Name)];
        return new TableShape(
            names,
            keys.Count > 0 ? keys : [RowIdNames.First(name => !names.Contains(name, StringComparer.OrdinalIgnoreCase))],
            keys.Count > 0);
    }

    /// <summary>Columns and key together, each once.</summary>
    public IReadOnlyList<string> All => HasOwnKey ? Columns : [.. Keys, .. Columns];

    /// <summary>Names in a list, as SQL takes them.</summary>
    public static string List(IEnumerable<string> names, string prefix = "") => string.Join(", ", names.Select(name => prefix + SqliteConnections.Quote(name)));
}
