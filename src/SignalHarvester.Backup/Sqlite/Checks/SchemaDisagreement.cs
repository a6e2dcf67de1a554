using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Findings of integrity_check that may come of how a database is used and not of damage: values that the schema does not
/// allow (any more), and index entries that were computed by functions, or stand in an order, that are their application's:
/// lower() and LIKE by those of ICU, NOCASE by one that knows all letters.
/// </summary>
/// <remarks>An index is taken at its word only where its stored values are proved to be its table's rows.</remarks>
internal sealed partial class SchemaDisagreement
{
    private readonly SortedDictionary<string, long> values = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> wrongTypes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> misplaced = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> missing = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> imprecise = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> repeated = new(StringComparer.Ordinal);

    /// <summary>Takes a finding that may come of this.</summary>
    /// <returns>Whether it was taken.</returns>
    public bool Take(string finding)
    {
        if (Finding().Match(finding) is not { Success: true } match)
        {
            return false;
        }

        var (counts, subject) = match.Groups["missing"] is { Success: true } entry ? (missing, entry.Value)
            : match.Groups["repeated"] is { Success: true } pair ? (repeated, pair.Value)
            : match.Groups["imprecise"] is { Success: true } number ? (imprecise, number.Value)
            : match.Groups["misplaced"] is { Success: true } table ? (misplaced, table.Value)
            : match.Groups["strict"].Success ? (wrongTypes, match.Value)
            : (values, match.Value);
        counts[subject] = counts.GetValueOrDefault(subject) + 1;
        return true;
    }

    /// <summary>Judges what was taken, once it is all there is.</summary>
    /// <param name="connection">The connection, which reads its schema anew afterwards.</param>
    /// <param name="foreign">What rests on the application alone, which is told by itself; null for nothing.</param>
    /// <returns>What is damage after all; and how the database is at odds with itself.</returns>
    public (IReadOnlyList<string> Damage, IReadOnlyList<string> Inconsistencies) Judge(SqliteConnection connection, ForeignSql? foreign)
    {
        var damage = new List<string>();
        var inconsistencies = new List<string>();
        foreach (var name in missing.Keys.Union(imprecise.Keys).Order(StringComparer.Ordinal))
        {
            var index = Find(connection, name);
            var count = HowMany(missing.GetValueOrDefault(name) + imprecise.GetValueOrDefault(name), "row");
            var reason = Reason(index, foreign, count, isImprecise: !missing.ContainsKey(name));
            if (reason is null || index is null)
            {
                damage.Add($"{count} missing from index {name}");
            }
            else if (WhyNotTheRows(connection, index) is { } fault)
            {
                damage.Add($"{count} missing from index {name}, and {fault}");
            }
            else
            {
                inconsistencies.AddRange(reason);
            }
        }

        // Every row is in such an index once, or that would be a finding of its own: two rows are alike, and no index is damaged.
        foreach (var (index, rows) in repeated.Where(entry => !missing.ContainsKey(entry.Key) && foreign?.Has(entry.Key) != true))
        {
            inconsistencies.Add($"unique index {index} holds {HowMany(rows, "entry", "entries")} that {(rows == 1 ? "is" : "are")} there twice");
        }

        JudgeKeys(connection, damage, inconsistencies);

        // No statement puts such a value into a table that is STRICT.
        damage.AddRange(wrongTypes.Select(Times));
        inconsistencies.AddRange(values.Select(value => Times(new($"{value.Key}, which its schema does not allow", value.Value))));
        return (damage, inconsistencies);
    }

    /// <summary>Why SQLite may be wrong about an index, in no sentence where that is told elsewhere; null where it is not.</summary>
    private static string[]? Reason(IndexDefinition? index, ForeignSql? foreign, string count, bool isImprecise)
    {
        if (index is null)
        {
            return null;
        }

        var statement = $"REINDEX {index.Name.Quoted}";
        return foreign?.Has(index.Name.Text) == true ? []
            : index.Uses.HasReplaceableFunction ? [$"index {index.Name.Text} holds other entries for {count} than SQLite computes here: right where its application brings functions of its own, else {statement} mends it"]
            : index.Uses.HasReplaceableOrder ? [$"index {index.Name.Text} holds {count} in another order than that of SQLite's own collation: right where its application brings its own, else {statement} mends it"]
            : isImprecise ? [$"index {index.Name.Text} holds numbers for {count} that are rounded in another way than here ({statement} mends it)"]
            : null;
    }

    private static IndexDefinition? Find(SqliteConnection connection, string name)
    {
        using var statement = SqlStatement.Prepare(
            connection,
            $"SELECT t.name, coalesce(t.sql, '') FROM sqlite_schema i JOIN sqlite_schema t ON t.type = 'table' AND t.name = i.tbl_name COLLATE NOCASE WHERE i.type = 'index' AND i.name = {SqliteName.Of(name).Literal}");
        return statement.Step()
            ? IndexDefinition.Of(connection, statement.Name(0), TableDefinition.Parse(statement.Text(1))).FirstOrDefault(index => index.Name == SqliteName.Of(name))
            : null;
    }

    private static string? WhyNotTheRows(SqliteConnection connection, IndexDefinition index)
    {
        try
        {
            return IndexEntries.AreRows(connection, index) ? null : $"its entries are not the rows of {index.Table.Text}";
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode != raw.SQLITE_INTERRUPT)
        {
            return $"its entries cannot be compared with the rows of {index.Table.Text}: {exception.Message}";
        }
    }

    private static string HowMany(long count, string one, string? many = null) =>
        count == 1 ? $"1 {one}" : string.Create(CultureInfo.InvariantCulture, $"{count} {many ?? one + "s"}");

    private static string Times(KeyValuePair<string, long> finding) =>
        finding.Value == 1 ? finding.Key : string.Create(CultureInfo.InvariantCulture, $"{finding.Key} ({finding.Value} times)");

    private void JudgeKeys(SqliteConnection connection, List<string> damage, List<string> inconsistencies)
    {
        foreach (var (table, rows) in misplaced)
        {
            var key = KeyOrder.TryFind(connection, SqliteName.Of(table));
            if (key is null || key.IsBrokenInAnyOrder(connection))
            {
                damage.Add(Times(new($"row not in PRIMARY KEY order for {table}", rows)));
            }
            else
            {
                inconsistencies.Add($"table {table} holds {HowMany(rows, "row")} in another order than that of SQLite's own collation: right where its application brings its own, else VACUUM mends it");
            }
        }
    }

    [GeneratedRegex(
        @"\A(row \d+ missing from index (?<missing>.*)|index (?<imprecise>.*) stores an imprecise floating-point value for row \d+"
        + @"|non-unique entry in index (?<repeated>.*)|row not in PRIMARY KEY order for (?<misplaced>.*)"
        + @"|(?<strict>non-[A-Z]+ value in .*)|(NULL|NUMERIC|TEXT) value in .*)\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Finding();
}
