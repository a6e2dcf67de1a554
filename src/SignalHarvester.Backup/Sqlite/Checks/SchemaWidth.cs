using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Finds tables with more columns than this SQLite was built for. Another SQLite made them, and reads them. This one takes the whole
/// schema as malformed, and reports it in the same words as damage.
/// </summary>
internal static class SchemaWidth
{
    /// <summary>Returns why nothing of a database can be read although it may be sound; null if that is not the case.</summary>
    public static string? WhyUnreadable(SqliteConnection connection)
    {
        var code = raw.sqlite3_prepare_v2(connection.Handle, "SELECT 1 FROM sqlite_schema", out var statement);
        using (statement)
        {
            return WhyUnreadable(connection.Handle!, code);
        }
    }

    /// <summary>Returns the same for an error that SQLite has just reported.</summary>
    public static string? WhyUnreadable(sqlite3 handle, int code) =>
        SqliteResult.Primary(code) is raw.SQLITE_CORRUPT or raw.SQLITE_ERROR && raw.sqlite3_errmsg(handle).utf8_to_string() is var said
            && said.Contains("too many columns", StringComparison.Ordinal)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"a table has more than {raw.sqlite3_limit(handle, raw.SQLITE_LIMIT_COLUMN, -1)} columns, the limit of this SQLite ({said})")
            : null;
}
