namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The columns of a table, read from the statement that made it, https://sqlite.org/lang_createtable.html .</summary>
internal sealed class TableDefinition
{
    private readonly Dictionary<SqliteName, ColumnDefinition> columns;

    private TableDefinition(Dictionary<SqliteName, ColumnDefinition> columns, bool isStrict)
    {
        this.columns = columns;
        IsStrict = isStrict;
    }

    /// <summary>Whether SQLite refuses a value of another type than its column's.</summary>
    public bool IsStrict { get; }

    /// <summary>Its columns.</summary>
    public IReadOnlyCollection<ColumnDefinition> Columns => columns.Values;

    /// <summary>Reads a statement, as the schema keeps it.</summary>
    public static TableDefinition Parse(string sql)
    {
        var tokens = SqlToken.Of(sql);
        var opening = Math.Max(tokens.FindIndex(token => token.IsSymbol("(")), 0);
        var closing = SqlToken.Closing(tokens, opening);
        var columns = new Dictionary<SqliteName, ColumnDefinition>();
        foreach (var part in SqlToken.Split(tokens.Take(closing).Skip(opening + 1)))
        {
            if (part is [var first, ..] && !IsTableConstraint(first))
            {
                var column = Column(first, part);
                _ = columns.TryAdd(column.Name, column);
            }
        }

        return new TableDefinition(columns, tokens.Skip(closing).Any(token => token.IsWord("strict")));
    }

    /// <summary>A column; null where none has that name.</summary>
    public ColumnDefinition? Column(SqliteName name) => columns.GetValueOrDefault(name);

    private static bool IsTableConstraint(SqlToken token) =>
        token.Kind == SqlTokenKind.Word && SqliteName.Fold(token.Text) is "constraint" or "primary" or "unique" or "check" or "foreign";

    private static ColumnDefinition Column(SqlToken name, List<SqlToken> definition)
    {
        var collation = SqliteName.Parse("BINARY");
        List<SqlToken> computation = [];
        var isStored = false;
        for (var place = 1; place < definition.Count; place++)
        {
            var token = definition[place];
            if (token.IsWord("collate") && place + 1 < definition.Count)
            {
                collation = SqliteName.Of(definition[place + 1].Text);
            }
            else if (token.IsSymbol("("))
            {
                var closing = SqlToken.Closing(definition, place);
                if (definition[place - 1].IsWord("as"))
                {
                    computation = [.. definition.Take(closing).Skip(place + 1)];
                }

                place = closing;
            }

            isStored |= token.IsWord("stored") && computation.Count > 0;
        }

        // A name may stand in the quotes of a text.
        var text = name.Kind == SqlTokenKind.Literal ? name.Text.Trim('\'').Replace("''", "'", StringComparison.Ordinal) : name.Text;
        return new ColumnDefinition(SqliteName.Of(text), collation, isStored ? [] : computation);
    }
}
