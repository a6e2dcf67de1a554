namespace SignalHarvester.Backup.Storage;

/// <summary>Says what kind of thing a path names, without opening it: opening a pipe could wait for ever.</summary>
internal static class FileKind
{
    /// <summary>Whether the path names a file that holds bytes, rather than a device, pipe or socket.</summary>
    /// <remarks>.NET does not tell them apart: its attributes are Normal for all of them.</remarks>
    public static bool IsRegular(string path) => OperatingSystem.IsWindows()
        ? (File.GetAttributes(path) & (FileAttributes.Device | FileAttributes.Directory)) == 0
        : FileStatus.Of(path) is { IsRegular: true };

    /// <summary>Whether the path, links followed, names a device, a pipe or a socket. False if nothing is there.</summary>
    public static bool IsSpecial(string path) => OperatingSystem.IsWindows()
        ? File.Exists(path) && !IsRegular(path)
        : FileStatus.Of(path) is { IsRegular: false, IsFolder: false };

    /// <summary>Whether the path itself names a file that holds bytes, and not a link to one. False if nothing is there.</summary>
    public static bool IsRegularItself(string path) => OperatingSystem.IsWindows()
        ? new FileInfo(path) is { Exists: true } info && (info.Attributes & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0
        : FileStatus.OfItself(path) is { IsRegular: true };

    /// <summary>Says in words what else has the name where a file of bytes should be; null if such a file is there, or nothing.</summary>
    public static string? NameOfStranger(string path) => OperatingSystem.IsWindows()
        ? Directory.Exists(path) ? "a folder" : null
        : FileStatus.OfItself(path) is { IsRegular: false } stranger ? stranger.Kind : null;
}
