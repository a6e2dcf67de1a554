using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The check of all that is no virtual table: pages, rows, and the entries of indexes.</summary>
internal sealed class OrdinaryTables
{
    private static readonly string Limit = IntegrityFindings.Most.ToString(CultureInfo.InvariantCulture);

    private readonly SqliteConnection connection;
    private readonly IntegrityFindings found;

    // The functions that SQLite does not have, or that cannot compute what is stored.
    private readonly HashSet<string> standIns = new(StringComparer.Ordinal);

    private OrdinaryTables(SqliteConnection connection, IntegrityFindings found)
    {
        this.connection = connection;
        this.found = found;
    }

    /// <summary>Checks them.</summary>
    /// <exception cref="SqliteException">The check cannot be made at all.</exception>
    public static void Check(SqliteConnection connection, IntegrityFindings found)
    {
        var tables = new OrdinaryTables(connection, found);
        if (tables.Read("integrity_check", Limit, out var findings) is null)
        {
            tables.Judge(findings, Limit, tables.FindForeign());
        }
        else
        {
            // A value that cannot be computed ends the check of the whole database.
            tables.CheckEach();
        }
    }

    private void CheckEach()
    {
        var unfinished = new List<(SqliteName Name, TableDefinition Definition, SqliteException Fault)>();
        var finished = new List<(SqliteName Name, List<string> Findings)>();
        foreach (var (table, sql) in SqlStatement.List(connection, "SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE type = 'table' AND rootpage > 0", row => (row.Name(0), row.Text(1))))
        {
            if (Read("integrity_check", table.Quoted, out var findings) is { } fault)
            {
                unfinished.Add((table, TableDefinition.Parse(sql), fault));
            }
            else
            {
                finished.Add((table, findings));
            }
        }

        var foreign = FindForeign();
        finished.ForEach(table => Judge(table.Findings, table.Name.Quoted, foreign));
        unfinished.ForEach(table => Explain(table.Name, table.Definition, table.Fault, foreign));

        // With stand-ins for what computes values in them, everything else in these tables can be read to its end.
        var uses = new SqlDependencies();
        foreach (var (name, definition, _) in unfinished)
        {
            found.Gaps.Add($"what is computed in table {name.Text}");
            foreach (var column in definition.Columns)
            {
                uses.Add(column, definition, compared: false);
            }

            uses.Add(IndexDefinition.Of(connection, name, definition).Select(index => index.Uses));
        }

        foreach (var function in uses.Functions.Where(standIns.Add))
        {
            StandInFunctions.Provide(connection, function);
        }

        var uncomputed = ForeignSql.Find(connection, standIns);
        foreach (var (table, _, fault) in unfinished)
        {
            if (Read("integrity_check", table.Quoted, out var findings) is not null)
            {
                found.Damage.Add($"table {table.Text}: {fault.Message}");
            }

            Judge(findings, table.Quoted, uncomputed);
        }

        // What is wrong with pages that belong to no table. All else that it says was found above.
        _ = Read("quick_check", Limit, out var pages);
        found.Damage.AddRange(pages.Where(finding => !new SchemaDisagreement().Take(finding)).Except(found.Damage));
    }

    private ForeignSql? FindForeign()
    {
        var foreign = ForeignSql.Find(connection, standIns);
        found.Gaps.AddRange(foreign is null ? [] : [foreign.Description]);
        return foreign;
    }

    /// <summary>
    /// Tells what it is that cannot be computed. SQLite refuses a row for which it cannot compute an index, so one that is
    /// there has been changed without it; a column may be computed for the first time when it is read.
    /// </summary>
    private void Explain(SqliteName table, TableDefinition definition, SqliteException fault, ForeignSql? foreign)
    {
        var before = (found.Damage.Count, found.Inconsistencies.Count);
        foreach (var index in IndexDefinition.Of(connection, table, definition).Where(index => foreign?.Has(index.Name.Text) != true))
        {
            if (index.Expressions.Append(index.Condition).OfType<string>().Select(expression => WhyNotComputed(table, expression)).FirstOrDefault(reason => reason is not null) is { } reason)
            {
                found.Damage.Add($"index {index.Name.Text} cannot be computed for every row of {table.Text}, so that a row is damaged: {reason}");
            }
        }

        foreach (var column in definition.Columns.Where(column => column.Computation.Count > 0))
        {
            if (found.Damage.Count == before.Item1 && WhyNotComputed(table, column.Name.Quoted) is { } reason)
            {
                found.Inconsistencies.Add($"column {table.Text}.{column.Name.Text} cannot be computed for every row: {reason}");
            }
        }

        if (before == (found.Damage.Count, found.Inconsistencies.Count) && foreign is null)
        {
            found.Damage.Add($"table {table.Text}: {fault.Message}");
        }
    }

    private string? WhyNotComputed(SqliteName table, string expression)
    {
        try
        {
            _ = SqlStatement.Number(connection, $"SELECT count(*) FROM {table.Quoted} NOT INDEXED WHERE typeof({expression}) = ''");
            return null;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_ERROR)
        {
            return exception.Message;
        }
    }

    private void Judge(List<string> findings, string argument, ForeignSql? foreign)
    {
        var disagreement = new SchemaDisagreement();
        bool IsDamage(string finding) => foreign?.Explains(finding) != true && !disagreement.Take(finding);
        var damage = findings.Where(IsDamage).ToList();
        if (findings.Count == IntegrityFindings.Most && damage.Count == 0)
        {
            // Real damage may hide behind them. It is in no page, for SQLite would have named that first.
            disagreement = new SchemaDisagreement();
            using var statement = SqlStatement.Prepare(connection, $"PRAGMA integrity_check({(argument == Limit ? int.MaxValue.ToString(CultureInfo.InvariantCulture) : argument)})");
            while (damage.Count < IntegrityFindings.Most && statement.Step())
            {
                damage.AddRange(new[] { statement.Text(0) }.Where(IsDamage));
            }
        }

        found.Damage.AddRange(damage);
        var (damaged, atOdds) = disagreement.Judge(connection, foreign);
        found.Damage.AddRange(damaged);
        found.Inconsistencies.AddRange(atOdds);
    }

    /// <summary>Runs a pragma for a table, or with a limit, over and over until SQLite has a stand-in for all that it lacks.</summary>
    /// <returns>What ended it before its time; null where it came to its end.</returns>
    /// <exception cref="SqliteException">What is stored cannot be read; what was found before it is kept.</exception>
    private SqliteException? Read(string pragma, string argument, out List<string> findings)
    {
        while (true)
        {
            findings = [];
            try
            {
                using var statement = SqlStatement.Prepare(connection, $"PRAGMA {pragma}({argument})");
                while (statement.Step())
                {
                    findings.AddRange(new[] { statement.Text(0) }.Where(finding => finding != "ok"));
                }

                return null;
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_ERROR)
            {
                if (StandInFunctions.Missing(exception) is not { } name || !standIns.Add(name))
                {
                    return exception;
                }

                StandInFunctions.Provide(connection, name);
            }
            catch (SqliteException)
            {
                found.Damage.AddRange(findings);
                throw;
            }
        }
    }
}
