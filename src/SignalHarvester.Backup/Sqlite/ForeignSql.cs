using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// What in a schema rests on functions and collations that only the application has: SQLite checks it with stand-ins, so
/// what it finds wrong there says nothing.
/// </summary>
internal sealed partial class ForeignSql
{
    private readonly List<string> names;
    private readonly HashSet<string> indexes = new(StringComparer.Ordinal);
    private readonly HashSet<string> keyOrders = new(StringComparer.Ordinal);
    private readonly HashSet<string> computedColumns = new(StringComparer.Ordinal);

    private ForeignSql(List<string> names) => this.names = names;

    /// <summary>What could not be checked, and for want of what.</summary>
    public string Description
    {
        get
        {
            List<string> objects = [.. indexes.Select(index => $"index {index}"), .. computedColumns.Select(column => $"column {column}")];
            return $"what needs the application's own {ShortList.Of(names)}: {ShortList.Of(objects)}";
        }
    }

    /// <summary>Finds what rests on stand-ins; null where none was needed.</summary>
    /// <param name="connection">The connection, after a check.</param>
    /// <param name="functions">The functions that stand-ins were provided for.</param>
    public static ForeignSql? Find(SqliteConnection connection, IEnumerable<string> functions)
    {
        var collations = StandInCollations.Needed(connection);
        var foreign = new ForeignSql([.. collations.Select(name => $"collation {name}"), .. functions.Select(name => $"function {name}")]);
        if (foreign.names.Count == 0)
        {
            return null;
        }

        var mention = Mention([.. collations, .. functions]);
        foreign.AddColumns(connection, mention);
        foreign.AddIndexes(connection, mention);
        return foreign;
    }

    /// <summary>Whether a finding of the check comes of a stand-in. The number of an index's entries does not.</summary>
    public bool Explains(string finding) => Finding().Match(finding) is { Success: true } match
        && ((match.Groups["index"] is { Success: true } index && indexes.Contains(index.Value))
            || (match.Groups["order"] is { Success: true } order && keyOrders.Contains(order.Value))
            || (match.Groups["column"] is { Success: true } column && computedColumns.Contains(column.Value)));

    // A word of the statement; that it may stand in a comment there costs no more than the check of a column. Both are folded
    // as SQLite folds names.
    private static Regex Mention(IEnumerable<string> words) => new(
        $@"(?<![\w$])({string.Join('|', words.Select(word => Regex.Escape(SqliteName.Fold(word)).Replace("\"", "\"{1,2}", StringComparison.Ordinal)))})(?![\w$])",
        RegexOptions.CultureInvariant);

    private static bool IsMentioned(Regex mention, string sql) => mention.IsMatch(SqliteName.Fold(sql));

    private void AddColumns(SqliteConnection connection, Regex mention)
    {
        using var reader = SqlStatement.Prepare(connection, """
            SELECT coalesce(t.sql, ''), t.name || '.' || c.name
            FROM sqlite_schema t JOIN pragma_table_xinfo(t.name) c ON c.hidden = 2
            WHERE t.type = 'table' AND t.rootpage > 0
            """);
        while (reader.Step())
        {
            if (IsMentioned(mention, reader.Text(0)))
            {
                computedColumns.Add(reader.Text(1));
            }
        }
    }

    private void AddIndexes(SqliteConnection connection, Regex mention)
    {
        // An expression has -2 for its column, and a column that is computed when it is read is hidden in way 2.
        using var reader = SqlStatement.Prepare(connection, """
            SELECT t.name, coalesce(t.sql, ''), l.name, coalesce(i.sql, ''), l.origin = 'pk',
              EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name) x WHERE upper(x.coll) NOT IN ('BINARY', 'NOCASE', 'RTRIM')),
              l.partial OR EXISTS (
                SELECT 1 FROM pragma_index_xinfo(l.name) x
                WHERE x.cid = -2 OR EXISTS (SELECT 1 FROM pragma_table_xinfo(t.name) c WHERE c.cid = x.cid AND c.hidden = 2))
            FROM sqlite_schema t JOIN pragma_index_list(t.name) l LEFT JOIN sqlite_schema i ON i.type = 'index' AND i.name = l.name
            WHERE t.type = 'table' AND t.rootpage > 0
            """);
        while (reader.Step())
        {
            var (table, index) = (reader.Text(0), reader.Text(2));
            var (isPrimaryKey, hasForeignOrder, isComputed) = (reader.Number(4) != 0, reader.Number(5) != 0, reader.Number(6) != 0);
            if (hasForeignOrder && isPrimaryKey)
            {
                keyOrders.Add(table);
            }

            if (hasForeignOrder || IsMentioned(mention, reader.Text(3)) || (isComputed && IsMentioned(mention, reader.Text(1))))
            {
                indexes.Add(index);
            }
        }
    }

    [GeneratedRegex(
        @"\A(row \d+ missing from index (?<index>.*)|non-unique entry in index (?<index>.*)"
        + @"|row not in PRIMARY KEY order for (?<order>.*)|(NULL|NUMERIC|TEXT|non-[A-Z]+) value in (?<column>.*))\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Finding();
}
