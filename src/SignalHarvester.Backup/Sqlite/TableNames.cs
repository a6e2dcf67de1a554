using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>The names of the tables that an application made, as a set that tells two databases apart.</summary>
internal static class TableNames
{
    private const string Internal = "sqlite_";

    /// <summary>Reads them; null where SQLite cannot read the schema, which is then known to nobody.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlySet<string>? TryRead(SqliteConnection connection, CancellationToken cancellation)
    {
        try
        {
            return Of(SqliteConnections.Strings(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND typeof(name) = 'text'"));
        }
        catch (SqliteException)
        {
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Those among the names that are not SQLite's own.</summary>
    public static IReadOnlySet<string> Of(IEnumerable<string> names) =>
        names.Where(name => !name.StartsWith(Internal, StringComparison.OrdinalIgnoreCase)).ToHashSet(StringComparer.OrdinalIgnoreCase);
}
