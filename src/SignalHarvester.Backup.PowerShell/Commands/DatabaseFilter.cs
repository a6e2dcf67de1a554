using System.Management.Automation;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// What -Database names: a database by its file's name or its full path, with wildcards; or by a path as the session sees it,
/// such as <c>./crm.db</c>.
/// </summary>
internal sealed class DatabaseFilter
{
    private readonly List<WildcardPattern> patterns = [];
    private readonly List<string> paths = [];

    /// <summary>Makes one.</summary>
    /// <param name="texts">The typed texts; null for none, which lets all pass.</param>
    /// <param name="fullPath">Makes a path of the session a full one.</param>
    public DatabaseFilter(IReadOnlyList<string>? texts, Func<string, string> fullPath)
    {
        IsOpen = texts is null;
        foreach (var text in texts ?? [])
        {
            patterns.Add(WildcardPattern.Get(text, WildcardOptions.IgnoreCase));
            patterns.Add(Literally(text));
            if (text.IndexOfAny(['/', '\\']) >= 0)
            {
                AddPath(text, fullPath);
            }
        }
    }

    /// <summary>Whether all databases pass, since none was named.</summary>
    public bool IsOpen { get; }

    /// <summary>Whether a database passes.</summary>
    /// <param name="database">Its full path; null if unknown.</param>
    public bool Passes(string? database) => IsOpen || (database is not null
        && (patterns.Exists(pattern => pattern.IsMatch(database) || pattern.IsMatch(Path.GetFileName(database)))
            || paths.Exists(path => DatabasePlace.IsSame(path, database))));

    private static WildcardPattern Literally(string text) => WildcardPattern.Get(WildcardPattern.Escape(text), WildcardOptions.IgnoreCase);

    private void AddPath(string text, Func<string, string> fullPath)
    {
        try
        {
            var path = fullPath(text);
            paths.Add(path);
            patterns.Add(Literally(path));

            // The folders before the first wildcard are a path, in which nothing is one.
            var parts = text.Split('/', '\\');
            var first = Array.FindIndex(parts, WildcardPattern.ContainsWildcardCharacters);
            if (first > 0 && string.Join('/', parts[..first]) is { Length: > 0 } folder)
            {
                var rest = string.Join(Path.DirectorySeparatorChar, parts[first..]);
                patterns.Add(
                    WildcardPattern.Get(Path.Join(WildcardPattern.Escape(fullPath(WildcardPattern.Unescape(folder))), rest), WildcardOptions.IgnoreCase));
            }
        }
        catch (Exception exception) when (exception is RuntimeException or BackupException)
        {
            // A path of another system, whose drive is not here: the backup may be from there, and was compared with it as it stands.
        }
    }
}
