using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>A table and its columns, read from the statement that made it, https://sqlite.org/lang_createtable.html .</summary>
internal sealed class TableDefinition
{
    private readonly Dictionary<SqliteName, ColumnDefinition> columns;

    private TableDefinition(SqliteName name, Dictionary<SqliteName, ColumnDefinition> columns)
    {
        Name = name;
        this.columns = columns;
    }

    /// <summary>Its name.</summary>
    public SqliteName Name { get; }

    /// <summary>Its columns.</summary>
    public IReadOnlyCollection<ColumnDefinition> Columns => columns.Values;

    /// <summary>The root page of its tree; 0 where the table was read by its statement alone.</summary>
    public required long RootPage { get; init; }

    /// <summary>
    /// Its rows from its own tree, as SQL for FROM. A table without rowids is the index of its key. There SQLite reads any other
    /// index that has the requested columns, even if it is told not to.
    /// </summary>
    public required string Rows { get; init; }

    /// <summary>The name of the rowid; null if there is none, or if columns have all its names.</summary>
    public required SqliteName? RowId { get; init; }

    /// <summary>Reads the tables that are stored in the file itself.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="isWanted">Which ones to read; null for all.</param>
    public static List<TableDefinition> All(SqliteConnection connection, Func<SqliteName, bool>? isWanted = null) =>
    [
        .. SqlStatement.List(
            connection,
            "SELECT name, coalesce(sql, ''), rootpage FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0",
            row => (Name: row.Name(0), Sql: row.Text(1), RootPage: row.Number(2)))
            .Where(table => isWanted is null || isWanted(table.Name))
            .Select(table => Read(connection, table.Name, table.Sql, table.RootPage)),
    ];

    /// <summary>Reads a table.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="name">The table.</param>
    /// <param name="sql">Its statement, as the schema keeps it.</param>
    public static TableDefinition Read(SqliteConnection connection, SqliteName name, string sql) =>
        Read(connection, name, sql, rootPage: 0);

    /// <summary>Returns a column; null if none has that name.</summary>
    public ColumnDefinition? Column(SqliteName name) => columns.GetValueOrDefault(name);

    private static TableDefinition Read(SqliteConnection connection, SqliteName name, string sql, long rootPage)
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

        var key = SchemaPragmas.KeyWithoutRowId(connection, "main", name);
        return new TableDefinition(name, columns)
        {
            RootPage = rootPage,
            Rows = key is null ? $"main.{name.Quoted} NOT INDEXED" : $"main.{name.Quoted} INDEXED BY {key.Value.Quoted}",
            RowId = key is not null ? null : SqliteName.RowIdNames.Where(rowId => !columns.ContainsKey(rowId))
                .Select(rowId => (SqliteName?)rowId).FirstOrDefault(),
        };
    }

    private static bool IsTableConstraint(SqlToken token) =>
        token.Kind == SqlTokenKind.Word && SqliteName.Fold(token.Text) is "constraint" or "primary" or "unique" or "check" or "foreign";

    private static ColumnDefinition Column(SqlToken name, List<SqlToken> definition)
    {
        var collation = SqliteCollations.Binary;
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

        // A name may be quoted like a text.
        var text = name.Kind == SqlTokenKind.Literal ? name.Text.Trim('\'').Replace("''", "'", StringComparison.Ordinal) : name.Text;
        return new ColumnDefinition(SqliteName.Of(text), collation, isStored ? [] : computation);
    }
}
