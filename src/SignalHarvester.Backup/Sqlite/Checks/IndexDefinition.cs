using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>An index, and what its entries come of beside the bytes of its table's columns.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Table">The table.</param>
/// <param name="RootPage">The page that its tree begins at; 0 where the table's own tree is the index.</param>
/// <param name="IsPrimaryKey">Whether it is the table's primary key.</param>
/// <param name="Columns">What each entry holds, in this order.</param>
/// <param name="Uses">What the values and the order of its entries rest on, and which rows have one.</param>
internal sealed record IndexDefinition(
    SqliteName Name, SqliteName Table, long RootPage, bool IsPrimaryKey, IReadOnlyList<IndexColumn> Columns, SqlDependencies Uses)
{
    /// <summary>What is computed for an entry, as SQL.</summary>
    public required IReadOnlyList<string> Expressions { get; init; }

    /// <summary>Which rows have an entry, as SQL; null where all have one.</summary>
    public required string? Condition { get; init; }

    /// <summary>Whether SQLite knows by itself which rows have an entry.</summary>
    public required bool IsConditionCertain { get; init; }

    /// <summary>Reads those of a table.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="table">The table.</param>
    /// <param name="definition">Its statement.</param>
    public static List<IndexDefinition> Of(SqliteConnection connection, SqliteName table, TableDefinition definition)
    {
        var indexes = SqlStatement.List(
            connection,
            $"SELECT l.name, coalesce(i.sql, ''), coalesce(i.rootpage, 0), l.origin = 'pk' FROM pragma_index_list({table.Literal}) l LEFT JOIN sqlite_schema i ON i.type = 'index' AND i.name = l.name",
            row => (Name: row.Name(0), Sql: row.Text(1), RootPage: row.Number(2), IsPrimaryKey: row.Number(3) != 0));
        return [.. indexes.Select(index => Read(connection, table, definition, index.Name, index.Sql) with { RootPage = index.RootPage, IsPrimaryKey = index.IsPrimaryKey })];
    }

    private static IndexDefinition Read(SqliteConnection connection, SqliteName table, TableDefinition definition, SqliteName name, string sql)
    {
        // An expression has -2 for its column, the rowid -1; and a column that is computed when it is read is hidden in way 2.
        var entries = SqlStatement.List(
            connection,
            $"SELECT x.cid, coalesce(x.name, ''), coalesce(x.coll, 'BINARY'), coalesce(c.hidden, 0) FROM pragma_index_xinfo({name.Literal}) x LEFT JOIN pragma_table_xinfo({table.Literal}) c ON c.cid = x.cid ORDER BY x.seqno",
            row => (Column: row.Number(0), Name: row.Name(1), Collation: row.Name(2), IsComputed: row.Number(3) == 2));
        var (keys, condition) = Parts(sql);
        var uses = new SqlDependencies();
        var expressions = new List<string>();
        foreach (var (entry, place) in entries.Select((entry, place) => (entry, place)))
        {
            uses.Add(entry.Collation);
            if (entry.Column == -2 && place < keys.Count)
            {
                uses.Add(keys[place], definition);
                expressions.Add(Sql(keys[place], definition));
            }
            else if (entry.IsComputed && definition.Column(entry.Name) is { } column)
            {
                uses.Add(column, definition, compared: false);
                expressions.Add(entry.Name.Quoted);
            }
        }

        var conditionUses = new SqlDependencies();
        conditionUses.Add(condition, definition);
        uses.Add(condition, definition);
        return new IndexDefinition(
            name, table, 0, false, [.. entries.Select(entry => new IndexColumn(entry.Name, entry.Column == -1, entry.Column == -2 || entry.IsComputed))], uses)
        {
            Expressions = expressions,
            Condition = condition.Count > 0 ? Sql(condition, definition) : null,
            IsConditionCertain = !conditionUses.HasReplaceableFunction && conditionUses.Collations.Count == 0,
        };
    }

    /// <summary>The columns of an index's statement and its condition, https://sqlite.org/lang_createindex.html .</summary>
    private static (List<List<SqlToken>> Keys, List<SqlToken> Condition) Parts(string sql)
    {
        var tokens = SqlToken.Of(sql);
        var opening = tokens.FindIndex(token => token.IsSymbol("("));
        if (opening < 0)
        {
            return ([], []);
        }

        var closing = SqlToken.Closing(tokens, opening);
        return (SqlToken.Split(tokens.Take(closing).Skip(opening + 1)), [.. tokens.Skip(closing + 1).SkipWhile(token => !token.IsWord("where")).Skip(1)]);
    }

    private static string Sql(List<SqlToken> expression, TableDefinition table)
    {
        var end = expression[^1].IsWord("asc") || expression[^1].IsWord("desc") ? 1 : 0;
        return string.Join(' ', expression.SkipLast(end).Select((token, place) =>
        {
            var name = SqliteName.Of(token.Text);
            var isName = table.Column(name) is not null || (place > 0 && expression[place - 1].IsWord("collate")) || (place + 1 < expression.Count && expression[place + 1].IsSymbol("("));
            return token.Kind != SqlTokenKind.QuotedName ? token.Text : isName ? name.Quoted : name.Literal;
        }));
    }
}
