using System.Management.Automation;
using SignalHarvester.Backup.Operations;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// The databases that -Database names: by the file's name or the full path, with wildcards; or by a path relative to the session's
/// location, such as <c>./crm.db</c>.
/// </summary>
internal sealed class DatabaseFilter
{
    private readonly List<WildcardPattern> patterns = [];
    private readonly List<string> paths = [];

    /// <summary>Makes a filter.</summary>
    /// <param name="texts">The typed texts; null for none, so that all databases pass.</param>
    /// <param name="fullPath">Makes a path of the session a full one.</param>
    /// <param name="isLiteral">Whether no character of the texts is a wildcard.</param>
    public DatabaseFilter(IReadOnlyList<string>? texts, Func<string, string> fullPath, bool isLiteral = false)
    {
        IsOpen = texts is null;
        foreach (var text in texts ?? [])
        {
            if (!isLiteral)
            {
                patterns.Add(WildcardPattern.Get(text, WildcardOptions.IgnoreCase));
            }

            patterns.Add(Literally(text));
            if (text.IndexOfAny(['/', '\\']) >= 0)
            {
                AddPath(text, fullPath, isLiteral);
            }
        }
    }

    /// <summary>Whether all databases pass, because none was named.</summary>
    public bool IsOpen { get; }

    /// <summary>Whether a database passes.</summary>
    /// <param name="database">Its full path; null if unknown.</param>
    public bool Passes(string? database) => IsOpen || (database is not null
        && (patterns.Exists(pattern => pattern.IsMatch(database) || pattern.IsMatch(Path.GetFileName(database)))
            || paths.Exists(path => DatabasePlace.IsSame(path, database))));

    private static WildcardPattern Literally(string text) => WildcardPattern.Get(WildcardPattern.Escape(text), WildcardOptions.IgnoreCase);

    private void AddPath(string text, Func<string, string> fullPath, bool isLiteral)
    {
        try
        {
            var path = fullPath(text);
            paths.Add(path);
            patterns.Add(Literally(path));

            // The folders before the first wildcard are a plain path.
            var parts = text.Split('/', '\\');
            var first = Array.FindIndex(parts, WildcardPattern.ContainsWildcardCharacters);
            if (!isLiteral && first > 0 && string.Join('/', parts[..first]) is { Length: > 0 } folder)
            {
                var rest = string.Join(Path.DirectorySeparatorChar, parts[first..]);
                patterns.Add(
                    WildcardPattern.Get(Path.Join(WildcardPattern.Escape(fullPath(WildcardPattern.Unescape(folder))), rest), WildcardOptions.IgnoreCase));
            }
        }
        catch (Exception exception) when (exception is RuntimeException or BackupException)
        {
            // A path of another system, whose drive does not exist here: the backup may come from there, and the text itself was compared.
        }
    }
}
