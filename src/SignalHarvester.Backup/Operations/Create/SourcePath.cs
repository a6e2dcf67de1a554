using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>Finds out what a database's path really names, without opening it.</summary>
internal static class SourcePath
{
    /// <summary>Returns the full path of a regular file. Links are followed and reported.</summary>
    /// <param name="path">The given path.</param>
    /// <param name="allowHardLink">Whether nobody writes to the file under an unknown name.</param>
    /// <param name="isKnown">Whether the running restore has already checked the file.</param>
    /// <param name="context">Messages and cancellation.</param>
    /// <exception cref="BackupException">SourceNotFound, SourceIsDirectory, SourceIsNotAFile,
    /// SourceUnreadable, DatabaseHasOtherNames, DatabaseOpenInProcess.</exception>
    public static string Resolve(string path, bool allowHardLink, bool isKnown, OperationContext context)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new BackupException(
                BackupErrorId.SourceIsDirectory, full,
                $"'{full}' is a directory. Give the database file in it, or pipe the files: Get-ChildItem '{full}' -Filter *.db | New-SHBackup.");
        }

        FileInfo info = new(full);
        try
        {
            if (LinkTarget.Of(full) is { } target)
            {
                context.Warn($"'{full}' is a link; '{target}' is backed up.");
                info = new FileInfo(target);
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
                BackupErrorId.SourceIsNotAFile, full, $"'{full}' is a device, pipe or socket, not a file. Give the path of the database file.");
        }

        if (!isKnown)
        {
            new DatabaseNames(info.FullName, isWritten: false, allowHardLink, context).Require();
        }

        return info.FullName;
    }

    private static BackupException NotFound(string path, Exception? inner) => new(
        BackupErrorId.SourceNotFound, path, $"There is no database '{path}'. Check the path; if the database was lost, restore it with Restore-SHBackup.",
        inner);
}
