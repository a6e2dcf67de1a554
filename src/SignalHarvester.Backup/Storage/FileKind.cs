namespace SignalHarvester.Backup.Storage;

/// <summary>What kind of thing a path names, asked without opening it: opening a pipe would wait for ever.</summary>
internal static class FileKind
{
    /// <summary>Whether the path names a file that holds bytes, rather than a device, pipe or socket.</summary>
    /// <remarks>.NET does not say: attributes are Normal for all of them.</remarks>
    public static bool IsRegular(string path) => OperatingSystem.IsWindows()
        ? (File.GetAttributes(path) & (FileAttributes.Device | FileAttributes.Directory)) == 0
        : FileStatus.Of(path) is { IsRegular: true };

    /// <summary>Whether the path, its links followed, names a device, a pipe or a socket. One that names nothing does not.</summary>
    public static bool IsSpecial(string path) => OperatingSystem.IsWindows()
        ? File.Exists(path) && !IsRegular(path)
        : FileStatus.Of(path) is { IsRegular: false, IsFolder: false };

    /// <summary>Whether the path names a file that holds bytes, and no link to one. A path that names nothing is none either.</summary>
    public static bool IsRegularItself(string path) => OperatingSystem.IsWindows()
        ? new FileInfo(path) is { Exists: true } info && (info.Attributes & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0
        : FileStatus.OfItself(path) is { IsRegular: true };

    /// <summary>What has a name that a file of bytes should have, in words; null where such a file has it, or nothing.</summary>
    public static string? NameOfStranger(string path) => OperatingSystem.IsWindows()
        ? Directory.Exists(path) ? "a folder" : null
        : FileStatus.OfItself(path) is { IsRegular: false } stranger ? stranger.Kind : null;
}
