using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// The parts of a schema that use functions and collations of the application alone. SQLite checks them with stand-ins, so its
/// findings about them prove nothing.
/// </summary>
internal sealed partial class ForeignSql
{
    private readonly List<string> names;
    private readonly HashSet<string> indexes = new(StringComparer.Ordinal);
    private readonly HashSet<string> keyOrders = new(StringComparer.Ordinal);
    private readonly HashSet<string> computedColumns = new(StringComparer.Ordinal);

    private ForeignSql(List<string> names, IReadOnlySet<string> functions)
    {
        this.names = names;
        Functions = functions;
    }

    /// <summary>The functions that only the application has, with their names folded as SQLite folds them.</summary>
    public IReadOnlySet<string> Functions { get; }

    /// <summary>Names the parts that could not be checked, and what was missing for the check.</summary>
    public string Description
    {
        get
        {
            List<string> objects = [.. indexes.Select(index => $"index {index}"), .. computedColumns.Select(column => $"column {column}")];
            return $"objects that need the application's own {ShortList.Of(names)}: {ShortList.Of(objects)}";
        }
    }

    /// <summary>Finds the parts that use stand-ins; null if none does.</summary>
    /// <param name="connection">The connection, after a check.</param>
    /// <param name="functions">The functions that have stand-ins.</param>
    public static ForeignSql? Find(SqliteConnection connection, IReadOnlyCollection<string> functions)
    {
        var collations = StandInCollations.Needed(connection);
        var foreign = new ForeignSql(
            [.. collations.Select(name => $"collation {name}"), .. functions.Select(name => $"function {name}")],
            functions.Select(SqliteName.Fold).ToHashSet(StringComparer.Ordinal));
        if (foreign.names.Count == 0)
        {
            return null;
        }

        foreign.Add(connection, TableDefinition.All(connection));
        return foreign.indexes.Count + foreign.computedColumns.Count > 0 ? foreign : null;
    }

    /// <summary>Whether only the application can judge the entries and the order of an index.</summary>
    public bool Has(string index) => indexes.Contains(index);

    /// <summary>Whether a finding about a table results from a stand-in.</summary>
    public bool Explains(string finding) => Finding().Match(finding) is { Success: true } match
        && ((match.Groups["order"] is { Success: true } order && keyOrders.Contains(order.Value))
            || (match.Groups["column"] is { Success: true } column && computedColumns.Contains(column.Value)));

    private void Add(SqliteConnection connection, List<TableDefinition> tables)
    {
        foreach (var (table, column) in tables.SelectMany(table => table.Columns.Select(column => (table, column)))
            .Where(entry => entry.column.Computation.Count > 0))
        {
            var uses = new SqlDependencies();
            uses.Add(column, table, compared: false);
            if (uses.IsForeign(Functions))
            {
                _ = computedColumns.Add($"{table.Name.Text}.{column.Name.Text}");
            }
        }

        foreach (var index in IndexDefinition.Of(connection, tables).Where(index => index.Uses.IsForeign(Functions)))
        {
            _ = indexes.Add(index.Name.Text);
            if (index.IsPrimaryKey)
            {
                _ = keyOrders.Add(index.Table.Name.Text);
            }
        }
    }

    [GeneratedRegex(
        @"\A(row not in PRIMARY KEY order for (?<order>.*)|(NULL|NUMERIC|TEXT|non-[A-Z]+) value in (?<column>.*))\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Finding();
}
