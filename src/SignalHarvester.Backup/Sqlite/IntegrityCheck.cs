using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// Runs <c>PRAGMA integrity_check</c>, https://sqlite.org/pragma.html#pragma_integrity_check , also over a database whose
/// application brings functions, collations or modules of its own.
/// </summary>
/// <remarks>
/// SQLite refuses the whole check where one of them is unknown, and finds fault with what a stand-in cannot compute.
/// What rests on the application alone is therefore set aside and named, and everything else is checked as ever. It also
/// calls damage what is none: an index that the application let fall behind, a value that its schema has come to forbid.
/// </remarks>
internal sealed partial class IntegrityCheck
{
    private const int MostFindings = 20;

    private readonly SqliteConnection connection;
    private readonly List<string> findings = [];
    private readonly List<string> gaps = [];
    private readonly List<string> inconsistencies = [];
    private string pragma = "integrity_check";

    private IntegrityCheck(SqliteConnection connection) => this.connection = connection;

    /// <summary>Checks a database. The connection may have lost its virtual tables afterwards.</summary>
    /// <exception cref="OperationCanceledException">The connection's token was cancelled.</exception>
    public static IntegrityReport Run(SqliteConnection connection)
    {
        var check = new IntegrityCheck(connection);
        try
        {
            check.SetConstraintsAside();
            check.SetVirtualTablesAside();
            check.RunWhole();
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
            throw new OperationCanceledException(exception.Message, exception);
        }
        catch (SqliteException exception)
        {
            check.findings.Add(exception.Message);
        }

        return new IntegrityReport(
            check.gaps.Count == 0 ? check.pragma : SqlText.Shown($"{check.pragma} (not checked: {ShortList.Of(check.gaps, "; ")})"),
            [.. check.findings.Select(OnOneLine).Select(SqlText.Shown)],
            ShortList.Ending(check.inconsistencies, MostFindings).Select(SqlText.Shown).ToList());
    }

    /// <summary>SQLite gives all that it finds in pages as one text of many lines, and findings stand in sentences.</summary>
    private static string OnOneLine(string finding) => finding.Replace("***\n", "*** ", StringComparison.Ordinal).Replace("\n", "; ", StringComparison.Ordinal);

    private void SetConstraintsAside()
    {
        // CHECK constraints are the application's rules, and a row that breaks one is no damage. In a file that it may only
        // read, SQLite passes over them anyway; what was verified like that must not fail its check once it is restored.
        SqliteConnections.Execute(connection, "PRAGMA ignore_check_constraints = ON");
        if (SqliteConnections.Strings(connection, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%check%'").Exists(CheckConstraint().IsMatch))
        {
            gaps.Add("CHECK constraints");
        }
    }

    private void SetVirtualTablesAside()
    {
        var tables = VirtualTables.Find(connection);
        if (tables.Count == 0)
        {
            return;
        }

        // One that cannot be used can end the whole check, and what is found must be told by the table, so each is checked by itself.
        foreach (var (name, whyUnusable) in tables)
        {
            if (whyUnusable is not null)
            {
                gaps.Add($"virtual table {name.Text}: {whyUnusable}");
                continue;
            }

            var before = findings.Count;
            try
            {
                Read(name.Quoted);
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode != raw.SQLITE_INTERRUPT)
            {
                // Which page it is that cannot be read, the whole check tells.
                findings.Add($"virtual table {name.Text}: {exception.Message}");
            }

            if (findings.Count > before && FullTextIndex.TryFind(connection, name) is { } index)
            {
                Explain(index, before);
            }
        }

        VirtualTables.Forget(connection);
    }

    private void Explain(FullTextIndex index, int before)
    {
        var (whyUnchecked, inconsistency) = index.Explain(connection);
        if (whyUnchecked is not null || inconsistency is not null)
        {
            findings.RemoveRange(before, findings.Count - before);
            gaps.AddRange(whyUnchecked is null ? [] : [whyUnchecked]);
            inconsistencies.AddRange(inconsistency is null ? [] : [inconsistency]);
        }
        else if (index.Rebuild is { } rebuild)
        {
            findings[^1] += $" (if the disk is sound and its application wrote to it past SQLite's full-text search, {rebuild} mends it)";
        }
    }

    private void RunWhole()
    {
        var functions = new List<string>();
        var before = findings.Count;
        while (true)
        {
            try
            {
                Read(MostFindings.ToString(CultureInfo.InvariantCulture));
                break;
            }
            catch (SqliteException exception) when (StandInFunctions.Missing(exception) is { } name && !functions.Contains(name))
            {
                StandInFunctions.Provide(connection, name);
                functions.Add(name);
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_ERROR && pragma == "integrity_check")
            {
                pragma = "quick_check";
                gaps.Add($"the entries of indexes: integrity_check ended with {exception.Message.TrimEnd('.')}");
            }

            findings.RemoveRange(before, findings.Count - before);
        }

        var foreign = ForeignSql.Find(connection, functions);
        gaps.AddRange(foreign is null ? [] : [foreign.Description]);
        SetDisagreementAside(before, foreign);
    }

    private void SetDisagreementAside(int before, ForeignSql? foreign)
    {
        var disagreement = new SchemaDisagreement();
        bool IsExplained(string finding) => foreign?.Explains(finding) == true || disagreement.Take(finding);
        var found = findings[before..];
        findings.RemoveRange(before, found.Count);
        findings.AddRange(found.Where(finding => !IsExplained(finding)));
        if (found.Count == MostFindings && findings.Count == before)
        {
            // Real damage may hide behind them. It is in no page, for SQLite would have named that first.
            disagreement = new SchemaDisagreement();
            Read(int.MaxValue.ToString(CultureInfo.InvariantCulture), IsExplained);
        }

        var (damage, atOdds) = disagreement.Judge(connection);
        findings.AddRange(damage);
        inconsistencies.AddRange(atOdds);
    }

    /// <summary>Runs the pragma, for a table or with a limit, and keeps what it finds.</summary>
    private void Read(string argument, Predicate<string>? isExplained = null)
    {
        using var statement = SqlStatement.Prepare(connection, $"PRAGMA {pragma}({argument})");
        for (var kept = 0; kept < MostFindings && statement.Step();)
        {
            var finding = statement.Text(0);
            if (finding != "ok" && isExplained?.Invoke(finding) != true)
            {
                findings.Add(finding);
                kept++;
            }
        }
    }

    [GeneratedRegex(@"\bCHECK\s*\(", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CheckConstraint();
}
