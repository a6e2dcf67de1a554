using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>An index, and everything beside the bytes of its table's columns that determines its entries.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Table">Its table.</param>
/// <param name="RootPage">The root page of its tree; 0 if the table's own tree is the index.</param>
/// <param name="IsPrimaryKey">Whether it is the table's primary key.</param>
/// <param name="IsUnique">Whether no two rows may be equal in it.</param>
internal sealed record IndexDefinition(SqliteName Name, TableDefinition Table, long RootPage, bool IsPrimaryKey, bool IsUnique)
{
    // A value follows these words of an expression.
    private static readonly HashSet<string> BeforeValues = new(StringComparer.Ordinal)
    {
        "and", "between", "case", "collate", "else", "escape", "from", "glob", "in", "is", "like", "match", "not", "or", "regexp", "then", "when",
    };

    /// <summary>The values of each entry, in this order.</summary>
    public required IReadOnlyList<IndexColumn> Columns { get; init; }

    /// <summary>Whether each entry ends with the rowid; otherwise it ends with the key of a table without rowids.</summary>
    public required bool EndsWithRowId { get; init; }

    /// <summary>The condition of the rows that have an entry, as SQL; null if all rows have one.</summary>
    public required string? Condition { get; init; }

    /// <summary>The functions and collations that the condition depends on.</summary>
    public required SqlDependencies ConditionUses { get; init; }

    /// <summary>Whether SQLite alone can decide which rows have an entry.</summary>
    public bool IsConditionCertain => !ConditionUses.HasReplaceableFunction && ConditionUses.Collations.Count == 0;

    /// <summary>Everything that the entries and their order depend on.</summary>
    public SqlDependencies Uses
    {
        get
        {
            var uses = new SqlDependencies();
            uses.Add(Columns.Select(column => column.Uses).OfType<SqlDependencies>().Append(ConditionUses));
            foreach (var column in Columns)
            {
                uses.Add(column.Collation);
            }

            return uses;
        }
    }

    /// <summary>Reads the indexes of a table.</summary>
    public static List<IndexDefinition> Of(SqliteConnection connection, TableDefinition table) => Of(connection, table, Stored(connection));

    /// <summary>Reads the indexes of tables.</summary>
    public static List<IndexDefinition> Of(SqliteConnection connection, IEnumerable<TableDefinition> tables)
    {
        var stored = Stored(connection);
        return [.. tables.SelectMany(table => Of(connection, table, stored))];
    }

    // All statements and root pages at once, because a schema has no index of names.
    private static Dictionary<SqliteName, (string Sql, long RootPage)> Stored(SqliteConnection connection)
    {
        var stored = new Dictionary<SqliteName, (string, long)>();
        foreach (var (name, sql, rootPage) in SqlStatement.List(
            connection, "SELECT name, coalesce(sql, ''), rootpage FROM main.sqlite_schema WHERE type = 'index'",
            row => (row.Name(0), row.Text(1), row.Number(2))))
        {
            stored[name] = (sql, rootPage);
        }

        return stored;
    }

    private static List<IndexDefinition> Of(SqliteConnection connection, TableDefinition table, Dictionary<SqliteName, (string Sql, long RootPage)> stored) =>
    [
        .. SchemaPragmas.Indexes(connection, "main", table.Name)
            .Select(index => Read(connection, table, index, stored.GetValueOrDefault(index.Name, (string.Empty, 0)))),
    ];

    private static IndexDefinition Read(
        SqliteConnection connection, TableDefinition table, (SqliteName Name, bool IsUnique, bool IsPrimaryKey) index, (string Sql, long RootPage) stored)
    {
        var (keys, condition) = Parts(stored.Sql);
        var entries = SchemaPragmas.Entries(connection, "main", index.Name);
        var conditionUses = new SqlDependencies();
        conditionUses.Add(condition, table);
        return new IndexDefinition(index.Name, table, stored.RootPage, index.IsPrimaryKey, index.IsUnique)
        {
            Columns = [.. entries.Select((entry, place) =>
                Column(entry.Column, entry.Name, place) with { Collation = entry.Collation, IsDescending = entry.IsDescending, IsKey = entry.IsKey })],
            EndsWithRowId = entries.Count > 0 && entries[^1].Column == -1,
            Condition = condition.Count > 0 ? Sql(condition, table) : null,
            ConditionUses = conditionUses,
        };

        // The column number is -2 for an expression, and -1 for the rowid.
        IndexColumn Column(long column, SqliteName columnName, int place)
        {
            var any = new IndexColumn(columnName.Quoted, default, false, false, true, null);
            if (column == -1)
            {
                return table.RowId is { } rowId ? any with { Sql = rowId.Quoted } : any with { IsKnown = false };
            }

            var uses = new SqlDependencies();
            if (column == -2 && place < keys.Count)
            {
                uses.Add(keys[place], table);
                return any with { Sql = $"({Sql(keys[place], table)})", Uses = uses };
            }

            if (table.Column(columnName) is not { Computation.Count: > 0 } computed)
            {
                return any;
            }

            uses.Add(computed, table, compared: false);
            return any with { Uses = uses };
        }
    }

    /// <summary>Reads the columns of an index's statement and its condition, https://sqlite.org/lang_createindex.html .</summary>
    private static (List<List<SqlToken>> Keys, List<SqlToken> Condition) Parts(string sql)
    {
        var tokens = SqlToken.Of(sql);
        var opening = tokens.FindIndex(token => token.IsSymbol("("));
        if (opening < 0)
        {
            return ([], []);
        }

        var closing = SqlToken.Closing(tokens, opening);
        return (
            [.. SqlToken.Split(tokens.Take(closing).Skip(opening + 1)).Select(WithoutOrder)],
            [.. tokens.Skip(closing + 1).SkipWhile(token => !token.IsWord("where")).Skip(1)]);
    }

    /// <summary>Removes ASC or DESC from the end of a key. Where SQLite needs a value instead, it takes these words for names.</summary>
    private static List<SqlToken> WithoutOrder(List<SqlToken> key) =>
        key is [.., var value, var order] && (order.IsWord("asc") || order.IsWord("desc")) && EndsValue(value) ? key[..^1] : key;

    private static bool EndsValue(SqlToken token) =>
        token.Kind == SqlTokenKind.Word ? !BeforeValues.Contains(SqliteName.Fold(token.Text)) : token.Kind != SqlTokenKind.Symbol || token.Text == ")";

    private static string Sql(List<SqlToken> expression, TableDefinition table) => string.Join(' ', expression.Select((token, place) =>
    {
        // In old schemas, a quoted name that names nothing is a text.
        var name = SqliteName.Of(token.Text);
        var isName = table.Column(name) is not null || SqliteName.RowIdNames.Contains(name)
            || (place > 0 && expression[place - 1].IsWord("collate")) || (place + 1 < expression.Count && expression[place + 1].IsSymbol("("));
        return token.Kind != SqlTokenKind.QuotedName ? token.Text : isName ? name.Quoted : name.Literal;
    }));
}
