using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Findings of integrity_check that may result from the use of a database and not from damage: values that the schema does not
/// allow (any more), and index entries that the application's own functions computed or its own collations ordered, such as
/// ICU's lower() and LIKE, or a NOCASE that knows all letters.
/// </summary>
internal sealed partial class SchemaDisagreement
{
    private readonly SortedDictionary<string, long> values = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> wrongTypes = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> misplaced = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> missing = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> imprecise = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> repeated = new(StringComparer.Ordinal);

    /// <summary>Takes a finding that may have such a cause.</summary>
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
            : match.Groups["strict"] is { Success: true } value ? (wrongTypes, value.Value)
            : (values, match.Value);
        counts[subject] = counts.GetValueOrDefault(subject) + 1;
        return true;
    }

    /// <summary>Judges the values, after all of them were taken.</summary>
    /// <param name="tables">The tables of the database, read only if there is something to judge.</param>
    /// <param name="found">Receives real damage, and inconsistencies.</param>
    public void JudgeValues(Lazy<List<TableDefinition>> tables, IntegrityFindings found)
    {
        foreach (var (name, rows) in misplaced)
        {
            var uses = new SqlDependencies();
            var table = tables.Value.Find(table => table.Name == SqliteName.Of(name));
            uses.Add(table?.Columns.Select(column => column.Collation) ?? []);
            if (uses.HasReplaceableOrder)
            {
                found.Inconsistencies.Add(
                    $"table {name} has {rows.ToString(CultureInfo.InvariantCulture)} of its rows in an order that differs from SQLite's own collation: correct if the application has its own, otherwise its keys are damaged");
            }
            else
            {
                found.Damage.Add(Times($"row not in PRIMARY KEY order for {name}", rows));
            }
        }

        // No statement stores such a value in a STRICT table, but a computed column may return one when it is read.
        var computed = wrongTypes.Count == 0 ? [] : tables.Value.SelectMany(
            table => table.Columns.Where(column => column.Computation.Count > 0).Select(column => $"{table.Name.Text}.{column.Name.Text}"))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var (finding, rows) in wrongTypes)
        {
            var list = computed.Contains(finding[(finding.IndexOf(" value in ", StringComparison.Ordinal) + " value in ".Length)..])
                ? found.Inconsistencies
                : found.Damage;
            list.Add(Times(finding, rows));
        }

        found.Inconsistencies.AddRange(values.Select(value => Times($"{value.Key}, which its schema does not allow", value.Value)));
    }

    /// <summary>Judges the indexes in which SQLite missed something, each on its own.</summary>
    /// <param name="connection">The connection. It reads its schema again afterwards.</param>
    /// <param name="tables">The tables of the database, read only if there is something to judge.</param>
    /// <param name="foreign">The parts that depend on the application alone, which are reported separately; null for none.</param>
    /// <param name="found">Receives real damage, and inconsistencies.</param>
    public void JudgeIndexes(SqliteConnection connection, Lazy<List<TableDefinition>> tables, ForeignSql? foreign, IntegrityFindings found)
    {
        var names = missing.Keys.Union(imprecise.Keys).Union(repeated.Keys).ToHashSet(StringComparer.Ordinal);
        var indexes = names.Count == 0
            ? []
            : IndexDefinition.Of(connection, tables.Value).Where(index => names.Contains(index.Name.Text)).ToDictionary(index => index.Name.Text);
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            var rows = missing.GetValueOrDefault(name) + imprecise.GetValueOrDefault(name);
            var examination = indexes.TryGetValue(name, out var index)
                ? IndexExamination.Of(connection, index, foreign?.Functions ?? new HashSet<string>())
                : new IndexExamination(null, []);
            if (examination.Damage is { } damage)
            {
                found.Damage.Add(missing.TryGetValue(name, out var lost) ? $"{Times($"row missing from index {name}", lost)}, and {damage}" : damage);
            }
            else if (foreign?.Has(name) == true || examination.Inconsistencies.Count > 0)
            {
                found.Inconsistencies.AddRange(examination.Inconsistencies);
            }
            else if (missing.ContainsKey(name) || index is null)
            {
                found.Damage.Add(
                    rows == 1 ? $"1 row missing from index {name}" : string.Create(CultureInfo.InvariantCulture, $"{rows} rows missing from index {name}"));
            }
            else if (repeated.TryGetValue(name, out var pairs))
            {
                found.Inconsistencies.Add($"unique index {name} has duplicate entries ({pairs.ToString(CultureInfo.InvariantCulture)} times)");
            }
            else
            {
                found.Inconsistencies.Add($"index {name} has numbers that were rounded differently (REINDEX {index.Name.Quoted} repairs it)");
            }
        }
    }

    /// <summary>Returns the damage of indexes in which SQLite missed rows and nothing explains it.</summary>
    /// <param name="explained">The names of the other indexes.</param>
    public IEnumerable<string> MissingExcept(IReadOnlySet<string> explained) =>
        missing.Keys.Where(index => !explained.Contains(index)).Select(index => $"rows missing from index {index}");

    private static string Times(string finding, long rows) => rows == 1 ? finding : string.Create(CultureInfo.InvariantCulture, $"{finding} ({rows} times)");

    [GeneratedRegex(
        @"\A(row \d+ missing from index (?<missing>.*)|index (?<imprecise>.*) stores an imprecise floating-point value for row \d+"
        + @"|non-unique entry in index (?<repeated>.*)|row not in PRIMARY KEY order for (?<misplaced>.*)"
        + @"|(?<strict>non-[A-Z]+ value in .*)|(NULL|NUMERIC|TEXT) value in .*)\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Finding();
}
