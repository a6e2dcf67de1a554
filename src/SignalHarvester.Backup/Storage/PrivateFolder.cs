namespace SignalHarvester.Backup.Storage;

/// <summary>Folders that nobody but this account may look into.</summary>
internal static class PrivateFolder
{
    /// <summary>Makes a folder, mode 0700 where there are modes, if it is not there.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
