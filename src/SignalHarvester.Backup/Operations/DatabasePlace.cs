using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations;

/// <summary>The place of a database: paths are equal if they lead to one file.</summary>
public static class DatabasePlace
{
    // On other systems the file itself tells, whatever the case of its name.
    private static readonly StringComparison PathComparison = OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Whether two paths are the same, or lead to the same existing file.</summary>
    /// <param name="one">A path.</param>
    /// <param name="other">Another.</param>
    public static bool IsSame(string one, string other) =>
        string.Equals(one, other, PathComparison) || (FileIdentity.Of(one) is { } file && file == FileIdentity.Of(other));
}
