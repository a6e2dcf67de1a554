using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Configuration;

namespace SignalHarvester.Backup.Operations;

/// <summary>Asks a restored database one question of its owner's, which can change nothing and reach no other file.</summary>
internal static partial class DrillQuestion
{
    /// <summary>Asks it.</summary>
    /// <param name="connection">The restored database, opened to be read alone.</param>
    /// <param name="assertion">The question, and the answer that is expected.</param>
    public static DrillAssertionResult Ask(SqliteConnection connection, DrillAssertion assertion)
    {
        // No other database can be attached: the question comes from a file that others may write to.
        _ = SQLitePCL.raw.sqlite3_limit(connection.Handle, SQLitePCL.raw.SQLITE_LIMIT_ATTACHED, 0);
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = assertion.Query;
            using var reader = command.ExecuteReader();
            if (!reader.Read() || reader.FieldCount == 0)
            {
                return Answer("no row", passed: false);
            }

            var found = Text(reader.GetValue(0));
            return reader.NextResult()
                ? Answer("several results, where one question has one", passed: false)
                : Answer(found ?? "null", IsAsExpected(found, assertion.Expect));
        }
        catch (SqliteException exception)
        {
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

        var order = Number(found) is { } left && Number(wanted) is { } right ? left.CompareTo(right) : string.CompareOrdinal(found, wanted);
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

    private static decimal? Number(string text) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    [GeneratedRegex(@"\A\s*(?<sign>>=|<=|!=|<>|==|>|<|=)?\s*(?<value>.*?)\s*\z", RegexOptions.ExplicitCapture | RegexOptions.Singleline)]
    private static partial Regex ComparisonPattern();
}
