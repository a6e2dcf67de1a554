using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Sqlite.Checks;

namespace SignalHarvester.Backup.Operations.Drill;

/// <summary>Asks a restored database one question of its owner's, which can change nothing and reach no other file.</summary>
internal static partial class DrillQuestion
{
    private const int LongestShown = 500;

    /// <summary>Asks it.</summary>
    /// <param name="connection">The restored database, opened to be read alone.</param>
    /// <param name="assertion">The question, and the answer that is expected.</param>
    public static DrillAssertionResult Ask(SqliteConnection connection, DrillAssertion assertion)
    {
        // No other database can be attached: the question comes from a file that others may write to.
        _ = SQLitePCL.raw.sqlite3_limit(connection.Handle, SQLitePCL.raw.SQLITE_LIMIT_ATTACHED, 0);
        var comparisons = StandInCollations.Comparisons;
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = assertion.Query;
            using var reader = command.ExecuteReader();
            var hasRow = reader.Read() && reader.FieldCount > 0;
            if (StandInCollations.Comparisons > comparisons)
            {
                return Answer("no answer: it goes by a collation that only the application has. Write COLLATE BINARY behind the column's name, to compare bytes", passed: false);
            }

            if (!hasRow)
            {
                return Answer("no row", passed: false);
            }

            var found = Text(reader.GetValue(0));
            return reader.NextResult()
                ? Answer("several results, where one question has one", passed: false)
                : Answer(found is null ? "null" : Shortened(found), IsAsExpected(found, assertion.Expect));
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_INTERRUPT)
        {
            return Answer("no answer: the questions of one drill took too long, five minutes together", passed: false);
        }
        catch (Exception exception) when (exception is SqliteException or InvalidOperationException)
        {
            // The second is what the provider says of a parameter that has no value.
            return Answer($"an error: {exception.Message.TrimEnd('.')}", passed: false);
        }

        DrillAssertionResult Answer(string found, bool passed) => new() { Query = assertion.Query, Expected = assertion.Expect, Found = found, Passed = passed };
    }

    private static string? Text(object value) => value switch
    {
        DBNull => null,
        byte[] blob => Convert.ToHexStringLower(blob),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    /// <summary>Compares as numbers where both are, else as texts.</summary>
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

    /// <summary>A value as it is shown: it may be as large as SQLite lets it be, and stands in messages.</summary>
    private static string Shortened(string found) => found.Length <= LongestShown
        ? found
        : string.Create(CultureInfo.InvariantCulture, $"{found[..LongestShown]}… ({found.Length} characters)");

    /// <summary>A number in both of its forms: one has the range of SQLite's, the other tells large integers apart.</summary>
    private static (double Approximate, decimal? Exact)? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? (number, decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) ? exact : null)
        : null;

    private static int Compare((double Approximate, decimal? Exact) left, (double Approximate, decimal? Exact) right) =>
        left.Approximate.CompareTo(right.Approximate) is var order and not 0 ? order : Nullable.Compare(left.Exact ?? right.Exact, right.Exact ?? left.Exact);

    [GeneratedRegex(@"\A\s*(?<sign>>=|<=|!=|<>|==|>|<|=)?\s*(?<value>.*?)\s*\z", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex ComparisonPattern();
}
