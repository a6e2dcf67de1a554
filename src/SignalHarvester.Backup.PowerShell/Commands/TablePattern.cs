using System.Management.Automation;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Matches typed names of tables. PowerShell's own comparisons would take some names for equal that are different to SQLite.</summary>
internal static class TablePattern
{
    /// <summary>Whether a pattern matches a name, with wildcards or literally.</summary>
    public static bool Matches(string pattern, SqliteName name) => IsLike(pattern, name) || SqliteName.Parse(pattern) == name;

    /// <summary>Whether a pattern with wildcards matches a name.</summary>
    public static bool IsLike(string pattern, SqliteName name) =>
        WildcardPattern.Get(SqliteName.Fold(pattern), WildcardOptions.None).IsMatch(SqliteName.Fold(name.ToString()));
}
