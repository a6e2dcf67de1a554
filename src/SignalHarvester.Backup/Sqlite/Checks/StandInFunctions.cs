using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>
/// Lets SQLite check a database whose constraints, generated columns or indexes call functions of its application. A function
/// that SQLite does not know gets a stand-in that returns NULL, which no constraint rejects. The values that it computes then
/// cannot be compared.
/// </summary>
internal static partial class StandInFunctions
{
    /// <summary>Returns the missing function that kept a statement from being prepared; null if it failed for another reason.</summary>
    public static string? Missing(SqliteException exception) =>
        UnknownFunction().Match(exception.Message) is { Success: true } match ? match.Groups["name"].Value : null;

    /// <summary>
    /// Provides stand-ins for ICU's lower() and upper() with a language, https://sqlite.org/src/dir/ext/icu : SQLite has both
    /// with one argument, and cannot read a schema that passes two.
    /// </summary>
    public static void ProvideLanguages(SqliteConnection connection)
    {
        connection.CreateFunction<object?, object?, object?>("lower", (_, _) => null, isDeterministic: true);
        connection.CreateFunction<object?, object?, object?>("upper", (_, _) => null, isDeterministic: true);
    }

    /// <summary>Replaces those stand-ins where somebody wants the values: NULL would be a wrong answer.</summary>
    public static void RefuseLanguages(SqliteConnection connection)
    {
        connection.CreateFunction<object?, object?, object?>("lower", (_, _) => throw Unknown("lower"), isDeterministic: true);
        connection.CreateFunction<object?, object?, object?>("upper", (_, _) => throw Unknown("upper"), isDeterministic: true);

        static SqliteException Unknown(string name) => new($"{name}() with a language is a function that only the application has", SQLitePCL.raw.SQLITE_ERROR);
    }

    /// <summary>Provides a stand-in, for any number of arguments.</summary>
    public static void Provide(SqliteConnection connection, string name) =>
        connection.CreateFunction<object?>(name, _ => null, isDeterministic: true);

    [GeneratedRegex(@"'unknown function: (?<name>.*)\(\)'", RegexOptions.Singleline)]
    private static partial Regex UnknownFunction();
}
