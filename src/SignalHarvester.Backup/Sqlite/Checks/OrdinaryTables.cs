using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>Checks everything except virtual tables: pages, rows, and the entries of indexes.</summary>
internal sealed class OrdinaryTables
{
    private readonly SqliteConnection connection;
    private readonly CheckProgress progress;
    private readonly IntegrityFindings found;
    private readonly HashSet<string> standIns = new(StringComparer.Ordinal);

    private OrdinaryTables(SqliteConnection connection, CheckProgress progress, IntegrityFindings found)
    {
        this.connection = connection;
        this.progress = progress;
        this.found = found;
    }

    /// <summary>Checks them.</summary>
    /// <returns>The check that was made.</returns>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="SqliteException">The check cannot be made at all.</exception>
    public static string Check(SqliteConnection connection, IntegrityOptions options, CheckProgress progress, IntegrityFindings found)
    {
        var check = new OrdinaryTables(connection, progress, found);
        if (!options.IsThorough && !HasSmallTrees(connection) && check.Compare(options) is { } compared)
        {
            return compared;
        }

        progress.BeginEndless(IntegrityCheck.Pragma);
        check.Check();
        return IntegrityCheck.Pragma;
    }

    /// <summary>
    /// Whether the database consists of so many and so small trees that opening each one for itself takes longer than looking up all of
    /// its entries, which are in the page cache.
    /// </summary>
    private static bool HasSmallTrees(SqliteConnection connection)
    {
        const int Many = 500;
        const int FewPages = 8;
        var trees = SqlStatement.Number(connection, "SELECT count(*) FROM main.sqlite_schema WHERE rootpage > 0");
        return trees > Many && SqlStatement.Number(connection, "PRAGMA main.page_count") < FewPages * trees;
    }

    /// <summary>Runs the check that equals integrity_check as long as nothing is wrong.</summary>
    /// <returns>The check that was made; null if something may be wrong, which integrity_check must find.</returns>
    private string? Compare(IntegrityOptions options)
    {
        try
        {
            var contents = IndexContents.Plan(connection);
            if (!contents.Agree(connection, options, () => IsQuickCheckOk() && ForeignSql.Find(connection, standIns) is null, progress))
            {
                return null;
            }

            var damage = new List<string>();
            CountPartialIndexes(contents.Others.Contains, damage);
            return damage.Count == 0 ? contents.Description : null;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode != raw.SQLITE_INTERRUPT)
        {
            return null;
        }
    }

    private bool IsQuickCheckOk()
    {
        progress.Begin("structure");
        var findings = new List<string>();
        return Read("quick_check", "1", findings) is null && findings.Count == 0;
    }

    private void Check()
    {
        var fault = ReadOrKeep("integrity_check", Invariant(IntegrityFindings.Most), out var findings);
        var tables = new Lazy<List<TableDefinition>>(() => TableDefinition.All(connection));
        var foreign = ForeignSql.Find(connection, standIns);
        found.Gaps.AddRange(foreign is null ? [] : [foreign.Description]);
        var disagreement = new SchemaDisagreement();
        var damage = findings.Where(finding => foreign?.Explains(finding) != true && !disagreement.Take(finding)).ToList();
        found.Damage.AddRange(damage);
        if (fault is null && (findings.Count < IntegrityFindings.Most || damage.Count > 0))
        {
            disagreement.JudgeValues(tables, found);
            disagreement.JudgeIndexes(connection, tables, foreign, found);
            CountPartialIndexes(_ => true, found.Damage);
        }
        else
        {
            // Either a value that cannot be computed ended the check, or there are more findings that may be harmless, and damage may hide
            // behind them. SQLite searches the whole index for each entry that it misses, so it does not get the rest to check.
            CheckRows(tables, foreign);
            found.Damage.AddRange(disagreement.MissingExcept(CheckIndexes(tables, foreign)));
        }
    }

    private void CheckRows(Lazy<List<TableDefinition>> tables, ForeignSql? foreign)
    {
        var disagreement = new SchemaDisagreement();
        bool IsDamage(string finding) => foreign?.Explains(finding) != true && !disagreement.Take(finding);
        if (ReadOrKeep("quick_check", Invariant(int.MaxValue), out var findings) is null)
        {
            found.Damage.AddRange(findings.Where(IsDamage).Except(found.Damage).ToList());
        }
        else
        {
            // Pages are checked before rows.
            found.Damage.AddRange(findings.Where(finding => !new SchemaDisagreement().Take(finding)).Except(found.Damage).ToList());
            foreach (var table in tables.Value)
            {
                if (ReadOrKeep("quick_check", table.Name.Quoted, out findings) is { } fault)
                {
                    Explain(table, fault, foreign);
                }

                found.Damage.AddRange(findings.Where(IsDamage).Except(found.Damage).ToList());
            }
        }

        disagreement.JudgeValues(tables, found);
    }

    /// <summary>Explains why the rows of a table cannot be checked: a computed column may have been added to rows that it does not fit.</summary>
    private void Explain(TableDefinition table, SqliteException fault, ForeignSql? foreign)
    {
        found.Gaps.Add($"the types of values in table {table.Name.Text}");
        var computed = table.Columns.Where(column => column.Computation.Count > 0).ToList();
        if (computed.Count > 0)
        {
            found.Inconsistencies.Add(
                $"the computed column {ShortList.Of([.. computed.Select(column => $"{table.Name.Text}.{column.Name.Text}")])} has no value of its type for some rows: {fault.Message}");
        }
        else if (foreign is null)
        {
            found.Damage.Add($"table {table.Name.Text}: {fault.Message}");
        }
    }

    /// <summary>Examines each index.</summary>
    /// <returns>The names of those about which it found something, or about which only the application knows.</returns>
    private HashSet<string> CheckIndexes(Lazy<List<TableDefinition>> tables, ForeignSql? foreign)
    {
        var missing = foreign?.Functions ?? new HashSet<string>();
        var explained = new HashSet<string>(StringComparer.Ordinal);
        foreach (var index in IndexDefinition.Of(connection, tables.Value))
        {
            var examination = IndexExamination.Of(connection, index, missing);
            found.Damage.AddRange(examination.Damage is { } damage ? [damage] : []);
            found.Inconsistencies.AddRange(examination.Inconsistencies);
            if (examination.Damage is not null || examination.Inconsistencies.Count > 0 || foreign?.Has(index.Name.Text) == true)
            {
                _ = explained.Add(index.Name.Text);
            }
        }

        return explained;
    }

    /// <summary>Compares partial indexes with their rows, because SQLite does not check whether the row of an entry must have one (since 3.42).</summary>
    private void CountPartialIndexes(Func<SqliteName, bool> isWanted, List<string> damage)
    {
        var partial = SqlStatement.List(
            connection, "SELECT DISTINCT tbl_name FROM main.sqlite_schema WHERE type = 'index' AND sql LIKE '%where%'", row => row.Name(0))
            .Where(isWanted).ToHashSet();
        if (partial.Count == 0)
        {
            return;
        }

        var indexes = IndexDefinition.Of(connection, TableDefinition.All(connection, partial.Contains))
            .Where(index => index is { Condition: not null, IsConditionCertain: true, RootPage: > 0 });
        using var trees = new IndexEntries(connection);
        foreach (var table in indexes.GroupBy(index => index.Table).ToList())
        {
            var rows = SqlStatement.List(
                connection,
                $"SELECT {string.Join(", ", table.Select(index => $"count(*) FILTER (WHERE {index.Condition})"))} FROM {table.Key.Rows}",
                row => table.Select((_, place) => row.Number(place)).ToList()).Single();
            foreach (var (place, index) in table.Index())
            {
                if (trees.Count(index) is var entries && entries != rows[place])
                {
                    damage.Add(string.Create(CultureInfo.InvariantCulture, $"index {index.Name.Text} has {entries} entries for {rows[place]} rows"));
                }
            }
        }
    }

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc cref="Read"/>
    /// <remarks>The findings before the exception are kept as damage.</remarks>
    private SqliteException? ReadOrKeep(string pragma, string argument, out List<string> findings)
    {
        findings = [];
        try
        {
            return Read(pragma, argument, findings);
        }
        catch (SqliteException)
        {
            found.Damage.AddRange(findings);
            throw;
        }
    }

    /// <summary>Runs a pragma for a table, or with a limit, and repeats it until SQLite has a stand-in for everything that it lacks.</summary>
    /// <returns>The exception that ended it early; null if it finished.</returns>
    /// <exception cref="SqliteException">The stored data cannot be read.</exception>
    private SqliteException? Read(string pragma, string argument, List<string> findings)
    {
        while (true)
        {
            findings.Clear();
            try
            {
                using var statement = SqlStatement.Prepare(connection, $"PRAGMA {pragma}({argument})");
                while (statement.Step())
                {
                    findings.AddRange(new[] { statement.Text(0) }.Where(finding => finding != "ok"));
                }

                return null;
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode is raw.SQLITE_ERROR or raw.SQLITE_CONSTRAINT)
            {
                if (StandInFunctions.Missing(exception) is not { } name || !standIns.Add(name))
                {
                    return exception;
                }

                StandInFunctions.Provide(connection, name);
            }
        }
    }
}
