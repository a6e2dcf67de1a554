using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// A full-text index, https://sqlite.org/fts3.html and https://sqlite.org/fts5.html . A finding of integrity_check about it means
/// damage, or that the application did not update it together with the indexed content.
/// </summary>
internal sealed class FullTextIndex
{
    private readonly SqliteName name;
    private readonly string module;
    private readonly Dictionary<string, string> options;

    private FullTextIndex(SqliteName name, string module, Dictionary<string, string> options)
    {
        this.name = name;
        this.module = module;
        this.options = options;
    }

    /// <summary>The statement that rebuilds the index from its table; null if its content is not stored.</summary>
    public string? Rebuild => Source is "" ? null : $"INSERT INTO {name.Quoted}({name.Quoted}) VALUES('rebuild')";

    /// <summary>The table that it indexes, empty for none; null if the index keeps the content itself.</summary>
    private string? Source => module == "fts3" ? null : options.GetValueOrDefault("content");

    /// <summary>Reads a virtual table as a full-text index; null if it is none.</summary>
    public static FullTextIndex? TryFind(SqliteConnection connection, SqliteName table)
    {
        var sql = SqlStatement.List(
            connection, $"SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND rootpage = 0 AND name = {table.Literal}", row => row.Text(0))
            .FirstOrDefault(string.Empty);
        var tokens = SqlToken.Of(sql).SkipWhile(token => !token.IsWord("using")).Skip(1).ToList();
        return tokens is [var module, ..] && SqliteName.Fold(module.Text) is "fts3" or "fts4" or "fts5"
            ? new FullTextIndex(table, SqliteName.Fold(module.Text), Options(tokens))
            : null;
    }

    /// <summary>Returns the options of the module, <c>name = value</c> among its arguments, in lower case and without quotes.</summary>
    private static Dictionary<string, string> Options(List<SqlToken> tokens)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var argument in SqlToken.Split(tokens.Take(SqlToken.Closing(tokens, 1)).Skip(2)))
        {
            if (argument is [var name, { Text: "=" }, ..])
            {
                options[SqliteName.Fold(name.Text)] = argument is [_, _, { Kind: SqlTokenKind.Literal } text]
                    ? text.Text.Trim('\'').Replace("''", "'", StringComparison.Ordinal)
                    : string.Concat(argument.Skip(2).Select(token => token.Text));
            }
        }

        return options;
    }

    /// <summary>Explains a finding of integrity_check about this index that does not mean damage.</summary>
    /// <returns>Why the index cannot be checked here, or how it differs from its table; both are null for damage.</returns>
    /// <remarks>
    /// For FTS4, SQLite reports an index with damaged bytes in the same words as a sound one that differs from its content.
    /// SQL alone cannot make an index that keeps its own content differ from it, so such a difference is damage. An index over
    /// another table differs as soon as the application forgets to update it. For FTS5, SQLite does not compare such an index at all.
    /// </remarks>
    public (string? WhyUnchecked, string? Inconsistency) Explain(SqliteConnection connection)
    {
        var isCompressed = Source is null && options.ContainsKey("uncompress");
        if (module != "fts4" || (Source is null && !isCompressed) || !IsReadable(connection))
        {
            return (null, null);
        }

        return isCompressed ? ($"virtual table {name.Text}: its content is compressed with its application's own functions", null)
            : Source is "" ? ($"virtual table {name.Text}: it has no content for a comparison", null)
            : (null, WhyNoSource(connection, Source!) is { } reason
                ? $"full-text index {name.Text} cannot be compared with its table '{Source}': {reason}, so searches in it may fail"
                : $"full-text index {name.Text} is older than its table '{Source}' ({Rebuild} repairs it)");
    }

    /// <summary>Whether every term and every position of the index can be read, without the indexed content.</summary>
    private bool IsReadable(SqliteConnection connection)
    {
        try
        {
            _ = SqlStatement.Run(connection, $"CREATE VIRTUAL TABLE temp.shbackup_terms USING fts4aux(main, {name.Quoted})");
            SqliteConnections.Execute(connection, "SELECT sum(documents), sum(occurrences) FROM temp.shbackup_terms");
            return true;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode != SQLitePCL.raw.SQLITE_INTERRUPT)
        {
            return false;
        }
        finally
        {
            SqliteConnections.Execute(connection, "DROP TABLE IF EXISTS temp.shbackup_terms");
        }
    }

    private string? WhyNoSource(SqliteConnection connection, string source)
    {
        try
        {
            // For a missing column, the module itself says only "SQL logic error".
            _ = SqlStatement.Run(connection, $"SELECT 1 FROM main.{SqliteName.Of(source).Quoted} LIMIT 0");
            _ = SqlStatement.Run(connection, $"SELECT * FROM {name.Quoted} LIMIT 1");
            return null;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            return exception.Message.Contains("no such table", StringComparison.Ordinal) ? "that table is missing" : "that table has other columns";
        }
    }
}
