namespace SignalHarvester.Backup.Storage;

/// <summary>Finds files of Unix with a backslash in their name. PowerShell treats it as a separator on every system, so it cannot name them.</summary>
public static class BackslashName
{
    /// <summary>Returns the full path of such a file.</summary>
    /// <param name="path">The typed path.</param>
    /// <param name="location">The full path of the folder that a relative path starts from.</param>
    /// <returns>Null if there is no backslash in the path, or no file of that name.</returns>
    public static string? Find(string path, string location)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentException.ThrowIfNullOrEmpty(location);
        return !OperatingSystem.IsWindows() && path.Contains('\\', StringComparison.Ordinal)
            && Path.GetFullPath(path, location) is var full && File.Exists(full)
            ? full
            : null;
    }
}
