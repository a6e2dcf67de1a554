using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>The stored columns of a table, and its primary key.</summary>
/// <param name="Columns">The stored columns, in their order.</param>
/// <param name="Key">The columns of the primary key, in its order; empty if there is none.</param>
/// <param name="HasRowId">Whether its rows have a number of their own.</param>
/// <param name="IsKeyRowId">Whether the primary key is that number.</param>
internal sealed record TableShape(IReadOnlyList<SqliteName> Columns, IReadOnlyList<KeyColumn> Key, bool HasRowId, bool IsKeyRowId)
{
    /// <summary>Reads a table's shape.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="schema">The name of the database within it.</param>
    /// <param name="table">The table. It exists and is not virtual.</param>
    /// <param name="hasRowId">Whether its rows have a number of their own.</param>
    public static TableShape Read(SqliteConnection connection, string schema, SqliteName table, bool hasRowId)
    {
        var columns = SchemaPragmas.Columns(connection, schema, table).Where(column => !column.IsComputed).ToList();
        var key = columns.Where(column => column.Key > 0).OrderBy(column => column.Key).ToList();

        // A key that is the rowid has no index of its own.
        var orders = SchemaPragmas.Indexes(connection, schema, table)
            .Where(index => index.IsPrimaryKey)
            .SelectMany(index => SchemaPragmas.Keys(connection, schema, index.Name))
            .ToList();
        return new TableShape(
            [.. columns.Select(column => column.Name)],
            [
                .. key.Select(column => new KeyColumn(column.Name, column.Type, orders.Where(order => order.Name == column.Name)
                    .Select(order => order.Collation)
                    .FirstOrDefault(SqliteCollations.Binary))),
            ],
            hasRowId,
            key.Count > 0 && orders.Count == 0);
    }

    /// <summary>Returns names as a list for SQL.</summary>
    public static string List(IEnumerable<SqliteName> names, string prefix = "") => string.Join(", ", names.Select(name => prefix + name.Quoted));
}
