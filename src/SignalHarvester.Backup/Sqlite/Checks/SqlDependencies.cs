namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The functions and collations that a value depends on, or a row's membership in an index.</summary>
internal sealed class SqlDependencies
{
    // For a stored value, these have returned the same in all versions of SQLite, and applications do not replace them. ICU replaces
    // lower(), upper() and LIKE, and SQLite's versions have turned numbers into text in several ways.
    private static readonly HashSet<string> Constant = new(StringComparer.Ordinal)
    {
        "abs", "coalesce", "hex", "ifnull", "iif", "instr", "json_extract", "json_valid", "length", "likelihood", "likely", "ltrim", "max", "min", "nullif",
        "octet_length", "replace", "rtrim", "sign", "substr", "substring", "trim", "typeof", "unicode", "unlikely",
    };

    // Before a bracket, these call no function.
    private static readonly HashSet<string> Keywords = new(StringComparer.Ordinal)
    {
        "always", "and", "as", "between", "by", "case", "check", "collate", "default", "distinct", "else", "escape", "exists", "from", "glob", "in", "is",
        "isnull",
        "key", "like", "match", "not", "notnull", "null", "on", "or", "regexp", "select", "stored", "then", "unique", "virtual", "when", "where",
    };

    private static readonly HashSet<string> OperatorFunctions = new(StringComparer.Ordinal) { "like", "glob", "regexp", "match", "->", "->>", "||" };

    private readonly HashSet<string> functions = new(StringComparer.Ordinal);
    private readonly HashSet<SqliteName> collations = [];
    private readonly HashSet<SqliteName> visited = [];

    /// <summary>The functions, with their names folded as SQLite folds them, and the operators that are functions.</summary>
    public IReadOnlySet<string> Functions => functions;

    /// <summary>The collations of the compared values.</summary>
    public IReadOnlySet<SqliteName> Collations => collations;

    /// <summary>The functions that an application may have replaced.</summary>
    public IEnumerable<string> ReplaceableFunctions => functions.Where(function => !Constant.Contains(function));

    /// <summary>Whether an application may have replaced a function here, so that it returns other values than SQLite's own.</summary>
    public bool HasReplaceableFunction => ReplaceableFunctions.Any();

    /// <summary>Whether an application may have replaced an order here, so that it differs from SQLite's own.</summary>
    public bool HasReplaceableOrder => collations.Any(SqliteCollations.Has);

    /// <summary>Whether only the application has some of these functions or collations.</summary>
    /// <param name="missing">The functions that SQLite lacked.</param>
    public bool IsForeign(IReadOnlySet<string> missing) =>
        functions.Overlaps(missing) || collations.Any(collation => !SqliteCollations.Has(collation));

    /// <summary>Adds a collation, except <c>BINARY</c>: the order of bytes is the same for everyone.</summary>
    public void Add(SqliteName collation)
    {
        if (collation != SqliteCollations.Binary)
        {
            _ = collations.Add(collation);
        }
    }

    /// <summary>Adds collations.</summary>
    public void Add(IEnumerable<SqliteName> orders)
    {
        foreach (var order in orders)
        {
            Add(order);
        }
    }

    /// <summary>Adds the dependencies of others.</summary>
    public void Add(IEnumerable<SqlDependencies> others)
    {
        foreach (var other in others)
        {
            functions.UnionWith(other.functions);
            collations.UnionWith(other.collations);
        }
    }

    /// <summary>Adds the dependencies of an expression.</summary>
    /// <param name="expression">Its tokens.</param>
    /// <param name="table">The table of its columns.</param>
    public void Add(IReadOnlyList<SqlToken> expression, TableDefinition table)
    {
        var compares = Compares(expression);
        for (var place = 0; place < expression.Count; place++)
        {
            var (token, name) = (expression[place], SqliteName.Fold(expression[place].Text));
            var isName = token.Kind is SqlTokenKind.Word or SqlTokenKind.QuotedName;
            if (token.Kind != SqlTokenKind.QuotedName && OperatorFunctions.Contains(name))
            {
                _ = functions.Add(name);
            }
            else if (isName && place + 1 < expression.Count && expression[place + 1].IsSymbol("(")
                && (token.Kind != SqlTokenKind.Word || !Keywords.Contains(name)))
            {
                _ = functions.Add(name is "lower" or "upper" && TakesLanguage(expression, place + 1) ? $"{name} for a language" : name);
            }
            else if (isName && place > 0 && expression[place - 1].IsWord("collate"))
            {
                Add(SqliteName.Of(token.Text));
            }
            else if (isName && table.Column(SqliteName.Of(token.Text)) is { } column)
            {
                Add(column, table, compares);
            }
        }
    }

    /// <summary>Adds the dependencies of a column, which may be computed when it is read.</summary>
    /// <param name="column">The column.</param>
    /// <param name="table">Its table.</param>
    /// <param name="compared">Whether its values are compared, so that its own collation matters.</param>
    public void Add(ColumnDefinition column, TableDefinition table, bool compared)
    {
        if (compared)
        {
            Add(column.Collation);
        }

        // SQLite lets no column depend on itself, but a damaged schema may.
        if (column.Computation.Count > 0 && visited.Add(column.Name))
        {
            Add(column.Computation, table);
        }
    }

    /// <summary>Whether a call passes a second argument, the language, which ICU's lower() and upper() take.</summary>
    private static bool TakesLanguage(IReadOnlyList<SqlToken> expression, int opening) =>
        SqlToken.Split(expression.Take(SqlToken.Closing(expression, opening)).Skip(opening + 1)).Count > 1;

    private static bool Compares(IReadOnlyList<SqlToken> expression)
    {
        for (var place = 0; place < expression.Count; place++)
        {
            var token = expression[place];
            if ((token.Kind == SqlTokenKind.Symbol && token.Text is "=" or "==" or "<" or ">" or "<=" or ">=" or "<>" or "!=")
                || token.IsWord("in") || token.IsWord("between") || token.IsWord("case") || token.IsWord("min") || token.IsWord("max") || token.IsWord("nullif")
                || (token.IsWord("is") && !expression.Skip(place + 1).SkipWhile(next => next.IsWord("not")).Take(1).Any(next => next.IsWord("null"))))
            {
                return true;
            }
        }

        return false;
    }
}
