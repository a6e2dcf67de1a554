using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Tables of more columns than this SQLite was built for. Another one made them, and reads them; this one takes the whole schema
/// for malformed, and says the same of it as of damage.
/// </summary>
internal static class SchemaWidth
{
    /// <summary>Why nothing of a database can be read although it need not be damaged; null if that is not so.</summary>
    public static string? WhyUnreadable(SqliteConnection connection)
    {
        var code = raw.sqlite3_prepare_v2(connection.Handle, "SELECT 1 FROM sqlite_schema", out var statement);
        using (statement)
        {
            return WhyUnreadable(connection.Handle!, code);
        }
    }

    /// <summary>The same of an error that SQLite has just given.</summary>
    public static string? WhyUnreadable(sqlite3 handle, int code) =>
        SqliteResult.Primary(code) is raw.SQLITE_CORRUPT or raw.SQLITE_ERROR && raw.sqlite3_errmsg(handle).utf8_to_string() is var said
            && said.Contains("too many columns", StringComparison.Ordinal)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"a table has more than {raw.sqlite3_limit(handle, raw.SQLITE_LIMIT_COLUMN, -1)} columns, the limit of this SQLite ({said})")
            : null;
}
