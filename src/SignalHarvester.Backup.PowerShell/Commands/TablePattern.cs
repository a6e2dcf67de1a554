using System.Management.Automation;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Names of tables as they are typed. PowerShell's own comparisons hold for one name what SQLite holds for two.</summary>
internal static class TablePattern
{
    /// <summary>Whether a name is what a pattern says, as wildcards or as it stands.</summary>
    public static bool Matches(string pattern, SqliteName name) => IsLike(pattern, name) || SqliteName.Parse(pattern) == name;

    /// <summary>Whether a name is what a pattern with wildcards says.</summary>
    public static bool IsLike(string pattern, SqliteName name) =>
        WildcardPattern.Get(SqliteName.Fold(pattern), WildcardOptions.None).IsMatch(SqliteName.Fold(name.ToString()));
}
