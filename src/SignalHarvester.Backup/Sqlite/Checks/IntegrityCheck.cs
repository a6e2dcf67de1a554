using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Runs <c>PRAGMA integrity_check</c>, https://sqlite.org/pragma.html#pragma_integrity_check , also over a database whose
/// application brings functions, collations or modules of its own.
/// </summary>
/// <remarks>
/// SQLite refuses the whole check where one of them is unknown, and finds fault with what a stand-in cannot compute.
/// What rests on the application alone is therefore set aside and named, and everything else is checked as ever. It also
/// reports as damage what is not: an index that the application did not keep up to date, a value that its schema now forbids.
/// </remarks>
internal static partial class IntegrityCheck
{
    /// <summary>SQLite's own check.</summary>
    public const string Pragma = "integrity_check";

    /// <summary>Checks a database.</summary>
    /// <exception cref="OperationCanceledException">The connection's token was cancelled.</exception>
    /// <param name="connection">The connection. It has no virtual tables afterwards.</param>
    /// <param name="context">The operation.</param>
    /// <param name="openAnother">Opens another connection to the same file, which nobody changes, so that several processors check it; null
    /// if there is only the one.</param>
    public static IntegrityReport Run(SqliteConnection connection, OperationContext context, Func<CancellationToken, SqliteConnection>? openAnother = null)
    {
        var found = new IntegrityFindings();
        var check = Pragma;
        try
        {
            check = Check(connection, context, openAnother, found);
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

    private static string Check(
        SqliteConnection connection, OperationContext context, Func<CancellationToken, SqliteConnection>? openAnother, IntegrityFindings found)
    {
        using var progress = new CheckProgress(
            context, SqliteConnections.ScalarInt64(connection, "PRAGMA page_count"), (int)SqliteConnections.ScalarInt64(connection, "PRAGMA page_size"));
        progress.Watch(connection, isOwn: true, context.Cancellation);
        try
        {
            SetConstraintsAside(connection, found);
            CheckVirtualTables(connection, found);
            return OrdinaryTables.Check(connection, context, openAnother, progress, found);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
            progress.ThrowIfFailed();
            throw;
        }
    }

    /// <summary>SQLite gives all that it finds in pages as one text of many lines, and findings stand in sentences.</summary>
    private static string OnOneLine(string finding) => finding.Replace("***\n", "*** ", StringComparison.Ordinal).Replace("\n", "; ", StringComparison.Ordinal);

    private static void SetConstraintsAside(SqliteConnection connection, IntegrityFindings found)
    {
        // CHECK constraints are the application's rules, and a row that breaks one is no damage. In a file that it may only
        // read, SQLite passes over them anyway; what was verified like that must not fail its check once it is restored.
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

        // One that cannot be used can end the whole check, and what is found must be told by the table, so each is checked by itself.
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
            // Which page it is that cannot be read, the whole check tells.
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
