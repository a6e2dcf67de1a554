using System.Globalization;
using SignalHarvester.Backup.Sqlite;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Query;

/// <summary>The names of a result's columns, as the query gives them. A name that is there again gets a number, and one without letters a name.</summary>
internal static class ColumnNames
{
    /// <summary>Returns the names, each different from the others, whatever the case of its letters.</summary>
    public static IReadOnlyList<string> Of(sqlite3_stmt statement)
    {
        var given = new string[raw.sqlite3_column_count(statement)];
        for (var column = 0; column < given.Length; column++)
        {
            given[column] = Shown(statement, column);
        }

        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var names = new List<string>(given.Length);
        foreach (var name in given)
        {
            var unique = name;
            for (var number = 2; !taken.Add(unique); number++)
            {
                unique = string.Create(CultureInfo.InvariantCulture, $"{name}{number}");
                if (given.Contains(unique, StringComparer.OrdinalIgnoreCase))
                {
                    unique = name;
                }
            }

            names.Add(unique);
        }

        return names;
    }

    private static string Shown(sqlite3_stmt statement, int column)
    {
        var name = SqlText.Shown(raw.sqlite3_column_name(statement, column).utf8_to_string() ?? string.Empty);
        return string.IsNullOrWhiteSpace(name) ? string.Create(CultureInfo.InvariantCulture, $"column{column + 1}") : name;
    }
}
