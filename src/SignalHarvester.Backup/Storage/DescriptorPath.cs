using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Paths that lead through an open folder of this process (https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html): the
/// kernel goes from the descriptor itself, whatever the folder is called by now. Linux alone has them.
/// </summary>
internal static partial class DescriptorPath
{
    /// <summary>What such a path begins with; the descriptor's number follows.</summary>
    public const string Root = "/proc/self/fd/";

    /// <summary>Whether this machine has them: not without /proc, as in some chroots.</summary>
    public static bool IsThere { get; } = OperatingSystem.IsLinux() && Directory.Exists(Root);

    /// <summary>Whether a path is one.</summary>
    public static bool IsOne(string path) => IsThere && path.StartsWith(Root, StringComparison.Ordinal);

    /// <summary>A text with the folders' present names in the place of such paths, for people to read.</summary>
    public static string Readable(string text) => !IsThere ? text : Pattern().Replace(text, found =>
    {
        try
        {
            return new FileInfo(found.Value).LinkTarget ?? found.Value;
        }
        catch (IOException)
        {
            // The descriptor is closed by now.
            return found.Value;
        }
    });

    [GeneratedRegex("/proc/self/fd/[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
