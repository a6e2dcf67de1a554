using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Paths that lead through an open folder of this process (https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html). The
/// kernel starts at the descriptor itself, so a renamed folder makes no difference. Only Linux has such paths.
/// </summary>
internal static partial class DescriptorPath
{
    /// <summary>The beginning of such a path. The descriptor's number follows.</summary>
    public const string Root = "/proc/self/fd/";

    /// <summary>Whether this machine has such paths: there are none without /proc, as in some chroots.</summary>
    public static bool IsThere { get; } = OperatingSystem.IsLinux() && Directory.Exists(Root);

    /// <summary>Whether a path is such a path.</summary>
    public static bool IsOne(string path) => IsThere && path.StartsWith(Root, StringComparison.Ordinal);

    /// <summary>Returns a text for people to read: each such path is replaced by the folder's present name.</summary>
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
