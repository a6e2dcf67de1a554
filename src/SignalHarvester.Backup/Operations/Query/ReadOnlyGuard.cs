using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Query;

/// <summary>
/// Lets a connection only read. The image cannot be written to anyway; this refuses, before it begins, whatever would write elsewhere, or
/// reach another file: https://sqlite.org/security.html, https://sqlite.org/c3ref/set_authorizer.html.
/// </summary>
internal sealed class ReadOnlyGuard
{
    // Pragmas that only report. Those that could also set something may be asked without a value.
    private static readonly HashSet<string> Reports = new(StringComparer.OrdinalIgnoreCase)
    {
        "application_id", "auto_vacuum", "collation_list", "compile_options", "data_version", "database_list", "encoding", "foreign_key_check",
        "foreign_key_list", "freelist_count", "function_list", "index_info", "index_list", "index_xinfo", "integrity_check", "module_list", "page_count",
        "page_size", "pragma_list", "quick_check", "schema_version", "table_info", "table_list", "table_xinfo", "user_version",
    };

    private static readonly HashSet<string> WithArgument = new(StringComparer.OrdinalIgnoreCase)
    {
        "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo", "integrity_check", "quick_check", "table_info", "table_list",
        "table_xinfo",
    };

    private static readonly HashSet<string> RefusedFunctions = new(StringComparer.OrdinalIgnoreCase) { "load_extension", "fts3_tokenizer" };

    /// <summary>Guards a connection. From here on it reads this image, and nothing else.</summary>
    /// <param name="connection">The connection, in which no other database is attached.</param>
    /// <param name="longestValue">The most bytes that a value may have.</param>
    public ReadOnlyGuard(SqliteConnection connection, int longestValue)
    {
        var database = connection.Handle!;
        _ = raw.sqlite3_limit(database, raw.SQLITE_LIMIT_ATTACHED, 0);
        _ = raw.sqlite3_limit(database, raw.SQLITE_LIMIT_LENGTH, longestValue);

        StandInFunctions.RefuseLanguages(connection);

        // A schema is data of whoever wrote the database: its views and triggers may call only functions without side effects.
        _ = raw.sqlite3_db_config(database, raw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, out _);
        _ = raw.sqlite3_db_config(database, raw.SQLITE_DBCONFIG_DEFENSIVE, 1, out _);
        strdelegate_authorizer authorizer = (_, action, first, second, schema, _) =>
        {
            var isAllowed = IsAllowed(action, first, second, schema);
            HasRefused |= !isAllowed;
            return isAllowed ? raw.SQLITE_OK : raw.SQLITE_DENY;
        };
        _ = raw.sqlite3_set_authorizer(database, authorizer, null);
    }

    /// <summary>Whether something was refused. SQLite does not always say so by its code.</summary>
    public bool HasRefused { get; private set; }

    private static bool IsAllowed(int action, string? first, string? second, string? schema) => action switch
    {
        raw.SQLITE_SELECT or raw.SQLITE_READ or raw.SQLITE_RECURSIVE => true,

        // An R*Tree prepares statements of its own that write as soon as it is opened. They cannot run: the image is read-only, and so must the
        // query's statement be.
        raw.SQLITE_INSERT or raw.SQLITE_UPDATE or raw.SQLITE_DELETE => schema == "main",
        raw.SQLITE_FUNCTION => second is null || !RefusedFunctions.Contains(second),
        raw.SQLITE_PRAGMA => first is not null && Reports.Contains(first) && (second is null || WithArgument.Contains(first)),
        _ => false,
    };
}
