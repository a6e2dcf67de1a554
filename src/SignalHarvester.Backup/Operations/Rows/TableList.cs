using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>
/// The tables of a database, read at once: for each single question SQLite would go through all of them, and there may be tens
/// of thousands.
/// </summary>
internal sealed class TableList
{
    private readonly SqliteConnection connection;
    private readonly string schema;
    private readonly Dictionary<SqliteName, (string Type, bool HasRowId)> tables;

    private TableList(SqliteConnection connection, string schema, Dictionary<SqliteName, (string Type, bool HasRowId)> tables)
    {
        this.connection = connection;
        this.schema = schema;
        this.tables = tables;
    }

    /// <summary>The tables with rows of their own, except those in which virtual tables keep their rows.</summary>
    public IEnumerable<SqliteName> Ordinary => tables.Where(table => table.Value.Type == "table").Select(table => table.Key);

    /// <summary>Reads them.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="schema">The name of the database within it.</param>
    public static TableList Read(SqliteConnection connection, string schema) => new(
        connection,
        schema,
        SqlStatement.List(connection, $"PRAGMA {schema}.table_list", row => (Name: row.Name(1), Type: row.Text(2), HasRowId: row.Number(4) == 0))
            .Where(table => table.Type != "view" && !SqliteName.Fold(table.Name.Text).StartsWith("sqlite_", StringComparison.Ordinal))
            .ToDictionary(table => table.Name, table => (table.Type, table.HasRowId)));

    /// <summary>Whether this is a virtual table, or one in which a virtual table keeps its rows.</summary>
    public bool IsOfVirtual(SqliteName table) => tables.TryGetValue(table, out var found) && found.Type != "table";

    /// <summary>Returns the shape of a table; null if no table with rows of its own has the name.</summary>
    /// <param name="table">The table.</param>
    /// <param name="withShadow">Whether to include the tables in which virtual tables keep their rows.</param>
    public TableShape? TryShape(SqliteName table, bool withShadow = false) =>
        tables.TryGetValue(table, out var found) && (found.Type == "table" || (withShadow && found.Type == "shadow"))
            ? TableShape.Read(connection, schema, table, found.HasRowId)
            : null;
}
