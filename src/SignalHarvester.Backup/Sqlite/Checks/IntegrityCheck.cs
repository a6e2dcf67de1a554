using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Runs <c>PRAGMA integrity_check</c>, https://sqlite.org/pragma.html#pragma_integrity_check , also over a database whose
/// application has its own functions, collations or modules.
/// </summary>
/// <remarks>
/// SQLite refuses the whole check if one of them is unknown, and reports faults in values that a stand-in cannot compute.
/// Therefore this check sets aside and names everything that depends on the application alone, and checks everything else as usual.
/// SQLite also reports as damage what is none: an index that the application did not update, or a value that its schema now forbids.
/// </remarks>
internal static partial class IntegrityCheck
{
    /// <summary>SQLite's own check.</summary>
    public const string Pragma = "integrity_check";

    /// <summary>Checks a database.</summary>
    /// <exception cref="OperationCanceledException">The connection's token was cancelled.</exception>
    /// <param name="connection">The connection. It has no virtual tables afterwards.</param>
    /// <param name="options">How to check it.</param>
    public static IntegrityReport Run(SqliteConnection connection, IntegrityOptions options)
    {
        var found = new IntegrityFindings();
        var check = Pragma;
        try
        {
            check = Check(connection, options, found);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
            throw new OperationCanceledException(exception.Message, exception);
        }
        catch (SqliteException exception)
        {
            found.Damage.Add(exception.Message);
        }

        return new IntegrityReport(
            found.Gaps.Count == 0 ? SqlText.Shown(check) : SqlText.Shown($"{check} (not checked: {ShortList.Of(found.Gaps, "; ")})"),
            [.. found.Damage.Select(OnOneLine).Select(SqlText.Shown)],
            ShortList.Ending(found.Inconsistencies, IntegrityFindings.Most).Select(SqlText.Shown).ToList());
    }

    private static string Check(SqliteConnection connection, IntegrityOptions options, IntegrityFindings found)
    {
        var progress = new CheckProgress(
            options.Report, SqliteConnections.ScalarInt64(connection, "PRAGMA page_count"), (int)SqliteConnections.ScalarInt64(connection, "PRAGMA page_size"));
        progress.Watch(connection, isOwn: true, options.Cancellation);
        try
        {
            SetConstraintsAside(connection, found);
            CheckVirtualTables(connection, found);
            return OrdinaryTables.Check(connection, options, progress, found);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
            progress.ThrowIfFailed();
            throw;
        }
        finally
        {
            // Nothing is shown of what the connection reads afterwards.
            SqliteConnections.StopOn(connection, options.Cancellation);
        }
    }

    /// <summary>Puts a finding on one line: SQLite returns all findings about pages as one text of many lines, and findings stand in sentences.</summary>
    private static string OnOneLine(string finding) => finding.Replace("***\n", "*** ", StringComparison.Ordinal).Replace("\n", "; ", StringComparison.Ordinal);

    private static void SetConstraintsAside(SqliteConnection connection, IntegrityFindings found)
    {
        // CHECK constraints are the application's rules, and a row that breaks one is not damaged. SQLite ignores them anyway in a
        // read-only file; a backup that was verified like that must not fail its check after the restore.
        SqliteConnections.Execute(connection, "PRAGMA ignore_check_constraints = ON");
        if (SqliteConnections.Strings(connection, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%check%'")
            .Exists(CheckConstraint().IsMatch))
        {
            found.Gaps.Add("CHECK constraints");
        }
    }

    private static void CheckVirtualTables(SqliteConnection connection, IntegrityFindings found)
    {
        var tables = VirtualTables.Find(connection);
        if (tables.Count == 0)
        {
            return;
        }

        // An unusable table can end the whole check, and the findings must be sorted by table, so each table is checked on its own.
        foreach (var (name, whyUnusable) in tables)
        {
            if (whyUnusable is not null)
            {
                found.Gaps.Add($"virtual table {name.Text}: {whyUnusable}");
                continue;
            }

            var findings = Findings(connection, name);
            if (findings.Count > 0 && FullTextIndex.TryFind(connection, name) is { } index)
            {
                findings = Explained(index, connection, findings, found);
            }

            found.Damage.AddRange(findings);
        }

        VirtualTables.Forget(connection);
    }

    private static List<string> Findings(SqliteConnection connection, SqliteName table)
    {
        var findings = new List<string>();
        try
        {
            using var statement = SqlStatement.Prepare(connection, $"PRAGMA {Pragma}({table.Quoted})");
            while (statement.Step())
            {
                findings.AddRange(new[] { statement.Text(0) }.Where(finding => finding != "ok"));
            }
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode != raw.SQLITE_INTERRUPT)
        {
            // The whole check reports which page cannot be read.
            findings.Add($"virtual table {table.Text}: {exception.Message}");
        }

        return findings;
    }

    private static List<string> Explained(FullTextIndex index, SqliteConnection connection, List<string> findings, IntegrityFindings found)
    {
        var (whyUnchecked, inconsistency) = index.Explain(connection);
        if (whyUnchecked is not null || inconsistency is not null)
        {
            found.Gaps.AddRange(whyUnchecked is null ? [] : [whyUnchecked]);
            found.Inconsistencies.AddRange(inconsistency is null ? [] : [inconsistency]);
            return [];
        }

        return index.Rebuild is { } rebuild
            ? [.. findings.SkipLast(1),
                findings[^1] + $" (if the disk is sound and the application wrote to it without SQLite's full-text search, {rebuild} repairs it)"]
            : findings;
    }

    [GeneratedRegex(@"\bCHECK\s*\(", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CheckConstraint();
}
