using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// Findings of integrity_check that come of how a database is used and not of damage: values that the schema does not allow
/// (any more), and index entries that were computed by another version of what SQLite itself has, which an application may
/// replace: lower() and LIKE by those of ICU, NOCASE by one that knows all letters.
/// </summary>
internal sealed partial class SchemaDisagreement
{
    private readonly SortedDictionary<string, long> values = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> missing = new(StringComparer.Ordinal);
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
            : (values, match.Value);
        counts[subject] = counts.GetValueOrDefault(subject) + 1;
        return true;
    }

    /// <summary>Judges what was taken, once it is all there is.</summary>
    /// <returns>What is damage after all; and how the database is at odds with itself.</returns>
    public (IReadOnlyList<string> Damage, IReadOnlyList<string> Inconsistencies) Judge(SqliteConnection connection)
    {
        var damage = new List<string>();
        var inconsistencies = new List<string>();
        foreach (var (index, rows) in missing)
        {
            var statement = $"REINDEX {SqliteName.Of(index).Quoted}";
            var count = HowMany(rows, "row");
            switch (WhatComputes(connection, SqliteName.Of(index)))
            {
                case Computation.Expression:
                    inconsistencies.Add($"index {index} holds other entries for {count} than SQLite computes here: right where its application brings functions of its own, else {statement} mends it");
                    break;
                case Computation.Collation:
                    inconsistencies.Add($"index {index} holds {count} in another order than that of SQLite's own collation: right where its application brings its own, else {statement} mends it");
                    break;
                default:
                    damage.Add($"{count} missing from index {index}");
                    break;
            }
        }

        // Every row is in such an index once, or that would be a finding of its own: two rows are alike, and no index is damaged.
        foreach (var (index, rows) in repeated.Where(entry => !missing.ContainsKey(entry.Key)))
        {
            inconsistencies.Add($"unique index {index} holds {HowMany(rows, "entry", "entries")} that {(rows == 1 ? "is" : "are")} there twice");
        }

        inconsistencies.AddRange(values.Select(value => $"{value.Key}, which its schema does not allow{(value.Value > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({value.Value} times)") : string.Empty)}"));
        return (damage, inconsistencies);
    }

    private static string HowMany(long count, string one, string? many = null) =>
        count == 1 ? $"1 {one}" : string.Create(CultureInfo.InvariantCulture, $"{count} {many ?? one + "s"}");

    private static Computation WhatComputes(SqliteConnection connection, SqliteName index)
    {
        using var statement = SqlStatement.Prepare(connection, $"""
            SELECT l.name, t.name, coalesce(i.sql, ''), l.partial,
              EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name) x JOIN pragma_table_xinfo(t.name) c ON c.cid = x.cid WHERE c.hidden = 2),
              EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name) x WHERE x.cid = -2),
              EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name) x WHERE x.cid >= 0 AND upper(x.coll) IN ('NOCASE', 'RTRIM'))
            FROM sqlite_schema t JOIN pragma_index_list(t.name) l LEFT JOIN sqlite_schema i ON i.type = 'index' AND i.name = l.name
            WHERE t.type = 'table' AND t.rootpage > 0 AND l.name = {index.Literal}
            """);
        if (!statement.Step())
        {
            return Computation.None;
        }

        var (table, sql) = (statement.Name(1), statement.Text(2));
        var (isPartial, isComputed, isExpression, isFolded) = (statement.Number(3) != 0, statement.Number(4) != 0, statement.Number(5) != 0, statement.Number(6) != 0);
        return isComputed || ((isExpression || isPartial) && Call().IsMatch(Head().Replace(sql, string.Empty))) ? Computation.Expression
            : isFolded && HoldsTheRows(connection, table, index) ? Computation.Collation
            : Computation.None;
    }

    /// <summary>Whether the entries of an index are its table's rows, byte for byte, whatever order they are in.</summary>
    private static bool HoldsTheRows(SqliteConnection connection, SqliteName table, SqliteName index)
    {
        var list = string.Join(", ", SqlStatement.List(
            connection, $"SELECT coalesce(name, 'rowid') FROM pragma_index_xinfo({index.Literal}) WHERE cid >= -1", row => row.Name(0).Quoted + " COLLATE BINARY"));
        var there = $"SELECT {list} FROM {table.Quoted} NOT INDEXED";
        var here = $"SELECT {list} FROM {table.Quoted} INDEXED BY {index.Quoted}";
        try
        {
            return SqlStatement.Number(connection, $"SELECT NOT EXISTS ({here} EXCEPT {there}) AND NOT EXISTS ({there} EXCEPT {here})") == 1;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            // SQLite does not read a partial index from end to end: nothing proves that it is whole.
            return false;
        }
    }

    [GeneratedRegex(
        @"\A(row \d+ missing from index (?<missing>.*)|non-unique entry in index (?<repeated>.*)|(NULL|NUMERIC|TEXT|non-[A-Z]+) value in .*)\z",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Finding();

    /// <summary>What stands before the columns of an index, as SQLite stores it: names, and the bracket that opens.</summary>
    [GeneratedRegex(
        @"\A\s*CREATE\s+(UNIQUE\s+)?INDEX\s+(IF\s+NOT\s+EXISTS\s+)?(""([^""]|"""")*""|'([^']|'')*'|\[[^\]]*\]|`[^`]*`|[\w$]+)\s*ON\s*(""([^""]|"""")*""|'([^']|'')*'|\[[^\]]*\]|`[^`]*`|[\w$]+)\s*\(",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Head();

    /// <summary>What calls a function: by its name, by an operator that is one, or by turning a number into text.</summary>
    [GeneratedRegex(
        @"(\b(?!(AND|OR|NOT|IN|WHERE|WHEN|THEN|ELSE|CASE|BETWEEN|IS)\b)\w+|[""`\]])\s*\(|\b(LIKE|GLOB|REGEXP|MATCH)\b|->|\|\|",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Call();

    /// <summary>What the entries of an index come of, beside the columns' own bytes.</summary>
    private enum Computation
    {
        /// <summary>Nothing.</summary>
        None,

        /// <summary>Functions, in its columns or its condition.</summary>
        Expression,

        /// <summary>The order of a collation that SQLite has, and an application may replace.</summary>
        Collation,
    }
}
