namespace SignalHarvester.Backup.Storage;

/// <summary>Folders that nobody but this account may look into.</summary>
internal static class PrivateFolder
{
    /// <summary>Makes a folder, mode 0700 where there are modes, if it is not there. Folders above it that are made too have the usual mode.</summary>
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

    /// <summary>Makes a folder, if it is not there, with the folders above it, all of them private, and makes their names last.</summary>
    public static void CreateDurably(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path)) is { Length: > 0 } parent)
        {
            CreateDurably(parent);
            Create(path);
            DurableFile.FlushDirectory(parent);
        }
    }
}
