namespace SignalHarvester.Backup.Storage;

/// <summary>Files of Unix whose name holds a backslash. PowerShell takes one for a separator on every system, and cannot name them.</summary>
public static class BackslashName
{
    /// <summary>The full path of such a file.</summary>
    /// <param name="path">The path as it was typed.</param>
    /// <param name="location">The folder that it is relative to, as a full path.</param>
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
