using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Virtual tables, whose modules and tokenizers may be their application's own. The content of such a table lies in
/// ordinary tables, which are checked and counted in any case.
/// </summary>
internal static partial class VirtualTables
{
    /// <summary>Finds the virtual tables, and what is missing for those that cannot be used here.</summary>
    public static List<(SqliteName Name, string? WhyUnusable)> Find(SqliteConnection connection) =>
        [.. SqlStatement.List(connection, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage = 0", row => row.Name(0))
            .Select(name => (name, WhyUnusable(connection, name)))];

    /// <summary>Makes SQLite ignore all virtual tables, in everything that this connection does from now on.</summary>
    public static void Forget(SqliteConnection connection)
    {
        // SQLite keeps the tables in use, so the schema is read again first. SQLite ignores a table with an unknown module.
        SqliteConnections.Execute(connection, "PRAGMA writable_schema = RESET");
        _ = DropModules(connection.Handle!.DangerousGetHandle(), 0);
    }

    private static string? WhyUnusable(SqliteConnection connection, SqliteName table)
    {
        var name = table.Quoted;
        try
        {
            // The first statement makes the module set up the table, the second makes a full-text module load its tokenizer.
            _ = SqlStatement.Run(connection, $"SELECT 1 FROM {name} LIMIT 0");
            _ = SqlStatement.Run(connection, $"SELECT 1 FROM {name} WHERE {name} MATCH 'x' LIMIT 1");
            return null;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode != raw.SQLITE_INTERRUPT)
        {
            // The check must find any other fault; or there is nothing to match in this table.
            return Unknown().Match(exception.Message) is { Success: true } match ? match.Groups["reason"].Value : null;
        }
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_drop_modules")]
    private static partial int DropModules(nint database, nint kept);

    // SQLite knows the formats 4 and 5 of FTS5, https://sqlite.org/fts5.html#fts5_data_structures . A number just above belongs to
    // another version; any other number is damage.
    [GeneratedRegex(
        @"'(?<reason>(no such module: |no such tokenizer: |unknown tokenizer: |error in tokenizer constructor|invalid fts5 file format \(found [6-9],).*)'",
        RegexOptions.Singleline)]
    private static partial Regex Unknown();
}
