using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Drill;

/// <summary>Asks a restored database one question of its owner. The question can change nothing and reach no other file.</summary>
internal static partial class DrillQuestion
{
    private const int LongestShown = 500;

    /// <summary>Asks the question.</summary>
    /// <param name="connection">The restored database, opened read-only.</param>
    /// <param name="assertion">The question and its expected answer.</param>
    public static DrillAssertionResult Ask(SqliteConnection connection, DrillAssertion assertion)
    {
        // No other database can be attached, because the question comes from a file that others may write to.
        _ = raw.sqlite3_limit(connection.Handle, raw.SQLITE_LIMIT_ATTACHED, 0);
        var comparisons = StandInCollations.Comparisons;
        try
        {
            ReadOnlySpan<byte> rest = SqlText.Bytes(SqlText.ParseNames(assertion.Query));
            using var question = Next(connection, ref rest);
            var hasRow = question is not null && Step(connection, question);
            if (StandInCollations.Comparisons > comparisons)
            {
                return Answer(
                    "no answer: it needs a collation that only the application has. Write COLLATE BINARY after the column's name to compare bytes",
                    passed: false);
            }

            if (!hasRow)
            {
                return Answer("no row", passed: false);
            }

            var found = Text(question!);
            using var another = Next(connection, ref rest);
            return another is not null
                ? Answer("several results, but a query must have one", passed: false)
                : Answer(found is null ? "null" : Shortened(found), IsAsExpected(found, assertion.Expect));
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_INTERRUPT)
        {
            return Answer("no answer: the queries of one drill took longer than five minutes together", passed: false);
        }
        catch (SqliteException exception)
        {
            return Answer($"an error: {exception.Message.TrimEnd('.')}", passed: false);
        }

        DrillAssertionResult Answer(string found, bool passed) =>
            new() { Query = assertion.Query, Expected = assertion.Expect, Found = found, Passed = passed };
    }

    /// <summary>
    /// Returns the next statement that has rows; null if there is none. Statements before it are run, because they can
    /// configure how it reads.
    /// </summary>
    private static sqlite3_stmt? Next(SqliteConnection connection, ref ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(connection.Handle, rest, out var statement, out rest), connection.Handle);
            if (statement.IsInvalid)
            {
                // A comment, or nothing.
                statement.Dispose();
                continue;
            }

            if (raw.sqlite3_bind_parameter_count(statement) > 0)
            {
                var name = raw.sqlite3_bind_parameter_name(statement, 1).utf8_to_string() ?? "?";
                statement.Dispose();
                throw new SqliteException($"it has no value for {name}", raw.SQLITE_ERROR);
            }

            if (raw.sqlite3_column_count(statement) > 0)
            {
                return statement;
            }

            using (statement)
            {
                _ = Step(connection, statement);
            }
        }

        return null;
    }

    private static bool Step(SqliteConnection connection, sqlite3_stmt statement)
    {
        var code = raw.sqlite3_step(statement);
        SqliteException.ThrowExceptionForRC(code, connection.Handle);
        return code == raw.SQLITE_ROW;
    }

    /// <summary>Returns the first value of a row in the form of an expectation: bytes of a text that belong to no character become \xHH.</summary>
    private static string? Text(sqlite3_stmt row) => raw.sqlite3_column_type(row, 0) switch
    {
        raw.SQLITE_NULL => null,
        raw.SQLITE_INTEGER => raw.sqlite3_column_int64(row, 0).ToString(CultureInfo.InvariantCulture),
        raw.SQLITE_FLOAT => raw.sqlite3_column_double(row, 0).ToString(CultureInfo.InvariantCulture),
        raw.SQLITE_BLOB => Convert.ToHexStringLower(raw.sqlite3_column_blob(row, 0)),
        _ => SqlText.OfColumn(row, 0),
    };

    /// <summary>Compares as numbers if both are numbers, else as texts.</summary>
    private static bool IsAsExpected(string? found, string expected)
    {
        var match = ComparisonPattern().Match(expected);
        var (sign, wanted) = (match.Groups["sign"].Value, match.Groups["value"].Value);
        if (found is null)
        {
            return string.Equals(wanted, "null", StringComparison.OrdinalIgnoreCase) == (sign is "" or "=" or "==");
        }

        var order = Number(found) is { } left && Number(wanted) is { } right ? Compare(left, right) : string.CompareOrdinal(found, wanted);
        return sign switch
        {
            ">" => order > 0,
            ">=" => order >= 0,
            "<" => order < 0,
            "<=" => order <= 0,
            "!=" or "<>" => order != 0,
            _ => order == 0,
        };
    }

    /// <summary>Shortens a value for messages: it may be as large as SQLite allows.</summary>
    private static string Shortened(string found) => found.Length <= LongestShown
        ? found
        : string.Create(CultureInfo.InvariantCulture, $"{found[..LongestShown]}… ({found.Length} characters)");

    /// <summary>Returns a number in two forms: one has the range of SQLite's numbers, the other distinguishes large integers.</summary>
    private static (double Approximate, decimal? Exact)? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? (number, decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) ? exact : null)
        : null;

    private static int Compare((double Approximate, decimal? Exact) left, (double Approximate, decimal? Exact) right) =>
        left.Approximate.CompareTo(right.Approximate) is var order and not 0 ? order : Nullable.Compare(left.Exact ?? right.Exact, right.Exact ?? left.Exact);

    [GeneratedRegex(@"\A\s*(?<sign>>=|<=|!=|<>|==|>|<|=)?\s*(?<value>.*?)\s*\z", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex ComparisonPattern();
}
