using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>The names of an application's tables, as a set that tells two databases apart.</summary>
internal static class TableNames
{
    private const string Internal = "sqlite_";

    /// <summary>Reads them; null if SQLite cannot read the schema, because then nobody knows them.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static IReadOnlySet<SqliteName>? TryRead(SqliteConnection connection, CancellationToken cancellation)
    {
        try
        {
            return Own(SqlStatement.List(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND typeof(name) = 'text'", row => row.Name(0)));
        }
        catch (SqliteException)
        {
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Returns those among shown names that are not SQLite's own.</summary>
    public static IReadOnlySet<SqliteName> Of(IEnumerable<string> names) => Own(names.Select(SqliteName.Parse));

    private static HashSet<SqliteName> Own(IEnumerable<SqliteName> names) =>
        [.. names.Where(name => !SqliteName.Fold(name.Text).StartsWith(Internal, StringComparison.Ordinal))];
}
