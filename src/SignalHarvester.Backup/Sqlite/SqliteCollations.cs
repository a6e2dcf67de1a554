namespace SignalHarvester.Backup.Sqlite;

/// <summary>The collations that SQLite has of its own, https://sqlite.org/datatype3.html#collation .</summary>
internal static class SqliteCollations
{
    /// <summary>The order of bytes, which nobody replaces.</summary>
    public static readonly SqliteName Binary = SqliteName.Parse("BINARY");

    /// <summary>That order with ASCII letters in one case; applications bring their own, which folds all letters.</summary>
    public static readonly SqliteName NoCase = SqliteName.Parse("NOCASE");

    private static readonly SqliteName TrailingSpaces = SqliteName.Parse("RTRIM");

    /// <summary>Whether SQLite has it; any other is an application's.</summary>
    public static bool Has(SqliteName collation) => collation == Binary || collation == NoCase || collation == TrailingSpaces;
}
