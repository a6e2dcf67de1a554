using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// Finds files by a full path with wildcards, on any thread: PowerShell's own way to do it belongs to its session. A backtick takes the meaning from the
/// character after it, and hidden files are found only by a pattern that begins with a dot.
/// </summary>
internal static class PathPattern
{
    /// <summary>Returns the files that match at this moment, in the order of their names.</summary>
    /// <param name="pattern">The full path, with wildcards in any part.</param>
    /// <exception cref="IOException">A folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static IReadOnlyList<string> Files(string pattern)
    {
        var root = Path.GetPathRoot(pattern)!;
        IEnumerable<string> found = [root];
        var parts = pattern[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < parts.Length; i++)
        {
            var (part, isLast) = (parts[i], i == parts.Length - 1);
            found = found.SelectMany(folder => Matches(folder, part, isLast)).ToList();
        }

        return [.. found];
    }

    private static IEnumerable<string> Matches(string folder, string part, bool isLast)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(part))
        {
            var path = Path.Combine(folder, WildcardPattern.Unescape(part));
            return (isLast ? File.Exists(path) : Directory.Exists(path)) ? [path] : [];
        }

        var wildcard = WildcardPattern.Get(part, WildcardOptions.None);
        return (isLast ? Directory.EnumerateFiles(folder) : Directory.EnumerateDirectories(folder))
            .Where(path => Path.GetFileName(path) is var name && wildcard.IsMatch(name) && (part[0] == '.' || name[0] != '.'))
            .Order(StringComparer.Ordinal);
    }
}
