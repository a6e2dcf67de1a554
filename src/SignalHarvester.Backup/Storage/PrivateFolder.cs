namespace SignalHarvester.Backup.Storage;

/// <summary>Folders that nobody but this account may look into.</summary>
internal static class PrivateFolder
{
    /// <summary>Makes a folder, mode 0700 where there are modes, if it is not there. Folders above it that are made too have the usual mode.</summary>
    public static void Create(string path)
    {
        var trimmed = Path.TrimEndingDirectorySeparator(path);
        if (Directory.Exists(trimmed) || Path.GetDirectoryName(trimmed) is not { Length: > 0 } above)
        {
            return;
        }

        Directory.CreateDirectory(above);
        using var parent = HeldFolder.Open(above);
        parent.EnsureFolder(Path.GetFileName(trimmed), isPrivate: true);
    }

    /// <summary>Makes a folder, if it is not there, with the folders above it, all of them private, and makes their names last.</summary>
    public static void CreateDurably(string path) => DurableFile.CreateDirectory(Path.TrimEndingDirectorySeparator(path), isPrivate: true);
}
