using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations;

/// <summary>Finds out what a path given as a database really is, without opening it.</summary>
internal static class SourcePath
{
    /// <summary>The full path of a regular file, links followed and said.</summary>
    /// <exception cref="BackupException">SourceNotFound, SourceIsDirectory, SourceIsNotAFile, SourceUnreadable.</exception>
    public static string Resolve(string path, OperationContext context)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new BackupException(
                BackupErrorId.SourceIsDirectory,
                BackupErrorCategory.InvalidArgument,
                full,
                $"'{full}' is a directory. Give the database file in it, or pipe the files: Get-ChildItem '{full}' -Filter *.db | New-SHBackup.");
        }

        FileInfo info = new(full);
        try
        {
            if (info.ResolveLinkTarget(returnFinalTarget: true) is { } target)
            {
                context.Warn($"'{full}' is a link; '{target.FullName}' is backed up.");
                info = new FileInfo(target.FullName);
            }
        }
        catch (IOException exception)
        {
            throw NotFound(full, exception);
        }

        if (!info.Exists)
        {
            throw NotFound(full, null);
        }

        if (!FileKind.IsRegular(info.FullName))
        {
            throw new BackupException(
                BackupErrorId.SourceIsNotAFile,
                BackupErrorCategory.InvalidArgument,
                full,
                $"'{full}' is a device, pipe or socket, not a file. Give the path of the database file.");
        }

        return info.FullName;
    }

    private static BackupException NotFound(string path, Exception? inner) => new(
        BackupErrorId.SourceNotFound,
        BackupErrorCategory.ObjectNotFound,
        path,
        $"There is no database '{path}'. Check the path; if the database was lost, restore it with Restore-SHBackup.",
        inner);
}
