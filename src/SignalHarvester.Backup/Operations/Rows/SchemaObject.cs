using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.Operations.Rows;

/// <summary>A table, index, view or trigger in two states of a database.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Name">Its name.</param>
/// <param name="Before">Its definition in the earlier state; null if it is missing.</param>
/// <param name="After">Its definition in the later state; null if it is missing.</param>
internal sealed record SchemaObject(string Type, SqliteName Name, string? Before, string? After);
