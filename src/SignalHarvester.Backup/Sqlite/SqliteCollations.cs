namespace SignalHarvester.Backup.Sqlite;

/// <summary>SQLite's own collations, https://sqlite.org/datatype3.html#collation .</summary>
internal static class SqliteCollations
{
    /// <summary>The order of bytes, which nobody replaces.</summary>
    public static readonly SqliteName Binary = SqliteName.Parse("BINARY");

    /// <summary>The order of bytes with ASCII letters in one case. Applications replace it by one that folds all letters.</summary>
    public static readonly SqliteName NoCase = SqliteName.Parse("NOCASE");

    private static readonly SqliteName TrailingSpaces = SqliteName.Parse("RTRIM");

    /// <summary>Whether SQLite has it; any other belongs to an application.</summary>
    public static bool Has(SqliteName collation) => collation == Binary || collation == NoCase || collation == TrailingSpaces;
}
