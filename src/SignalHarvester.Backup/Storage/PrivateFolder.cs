namespace SignalHarvester.Backup.Storage;

/// <summary>Makes folders that only this account may use.</summary>
internal static class PrivateFolder
{
    /// <summary>Makes a missing folder, with mode 0700 where there are modes. Missing folders above it get the usual mode.</summary>
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

    /// <summary>Makes a missing folder and the missing folders above it, all of them private, and makes their names durable.</summary>
    public static void CreateDurably(string path) => DurableFile.CreateDirectory(Path.TrimEndingDirectorySeparator(path), isPrivate: true);
}
