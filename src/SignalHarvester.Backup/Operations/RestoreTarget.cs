using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations;

/// <summary>The file that a restore writes: what it is now, and the two ways of putting an image there.</summary>
internal sealed class RestoreTarget
{
    // Files that SQLite keeps beside a database. Left beside another image they would corrupt it.
    private static readonly string[] Companions = ["-wal", "-journal", "-shm"];

    private RestoreTarget(string path, bool exists)
    {
        Path = path;
        Exists = exists;
    }

    /// <summary>The full path, links followed.</summary>
    public string Path { get; }

    /// <summary>The folder of the file.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Whether there is a file now.</summary>
    public bool Exists { get; }

    /// <summary>Whether a file without content is all there is, which SQLite takes for an empty database.</summary>
    public bool IsBlank => Exists && new FileInfo(Path).Length == 0;

    /// <summary>Whether a write-ahead log with content lies there.</summary>
    public bool HasLog => new FileInfo(Path + "-wal") is { Exists: true, Length: > 0 };

    /// <summary>Whether a log or journal lies there.</summary>
    public bool HasCompanions => Companions.Any(suffix => File.Exists(Path + suffix));

    /// <summary>Finds out what a destination is.</summary>
    /// <exception cref="BackupException">DestinationIsDirectory, DestinationInvalid.</exception>
    public static RestoreTarget Resolve(string destination, OperationContext context)
    {
        var full = System.IO.Path.GetFullPath(destination);
        if (Directory.Exists(full))
        {
            throw new BackupException(
                BackupErrorId.DestinationIsDirectory,
                BackupErrorCategory.InvalidArgument,
                full,
                $"'{full}' is a directory. Give the path of the database file to write, such as '{System.IO.Path.Combine(full, "app.db")}'.");
        }

        var info = new FileInfo(full);
        if (info.LinkTarget is not null)
        {
            info = FollowLink(info);
            context.Warn($"'{full}' is a link; '{info.FullName}' is restored.");
        }

        if (!Directory.Exists(info.DirectoryName))
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid,
                BackupErrorCategory.ObjectNotFound,
                full,
                $"The folder '{info.DirectoryName}' of the destination does not exist. Create it first.");
        }

        if (info.Exists && !FileKind.IsRegular(info.FullName))
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid,
                BackupErrorCategory.InvalidArgument,
                full,
                $"'{full}' is a device, pipe or socket, not a file. Give the path of the database file to write.");
        }

        RefuseStored(info.FullName);
        return new RestoreTarget(info.FullName, info.Exists);
    }

    private static void RefuseStored(string path)
    {
        // A restore over a backup's own file, its sidecar or the directory's lock would cost a backup to save nothing.
        var name = System.IO.Path.GetFileName(path);
        var isSidecar = name.EndsWith(BackupFileName.SidecarSuffix, StringComparison.Ordinal) && BackupFileName.IsId(name[..^BackupFileName.SidecarSuffix.Length]);
        if (isSidecar || BackupFileName.TryParse(name) is not null || System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path)) == BackupDirectory.StateFolderName)
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid,
                BackupErrorCategory.InvalidArgument,
                path,
                $"'{path}' belongs to a backup directory and is not overwritten. Give the path of the database file to write.");
        }
    }

    /// <summary>Puts a staged image in the place of a file that is missing or that SQLite cannot open.</summary>
    /// <param name="imagePath">The image, flushed, on the same file system, and given to whom it is for.</param>
    /// <exception cref="IOException">The file was missing, and somebody has made one meanwhile.</exception>
    public void Swap(string imagePath)
    {
        // What is removed here is dead, and kept under another name: before and after, there is nothing SQLite can open.
        foreach (var suffix in Companions.Where(suffix => File.Exists(Path + suffix)))
        {
            DurableFile.Delete(Path + suffix);
        }

        DurableFile.Rename(imagePath, Path, overwrite: Exists);
    }

    /// <summary>Makes a file the database's write-ahead log, durably. The caller keeps everybody else from the database meanwhile.</summary>
    /// <param name="logPath">The log, flushed, on the same file system.</param>
    public void AdoptLog(string logPath)
    {
        _ = FileOwnership.Copy(Path, logPath);
        DurableFile.Rename(logPath, Path + "-wal");
    }

    /// <summary>
    /// Copies a database that cannot be opened, with its log and journal, to names beside it that SQLite and recovery
    /// tools understand as one set.
    /// </summary>
    /// <param name="moment">The moment of the restore, which becomes part of the names.</param>
    /// <param name="workFolder">A temporary folder on the same file system: what has its final name is whole.</param>
    /// <param name="cancellation">Stops the copying.</param>
    /// <returns>The path of the kept main file.</returns>
    public string KeepRaw(DateTimeOffset moment, string workFolder, CancellationToken cancellation)
    {
        var kept = Path + ".damaged-" + BackupFileName.IdFor(moment)["backup_".Length..];
        foreach (var suffix in Companions.Append(string.Empty).Where(suffix => File.Exists(Path + suffix)))
        {
            var copied = System.IO.Path.Combine(workFolder, "damaged" + suffix);
            BlockCopy.Run(Path + suffix, copied, cancellation);
            DurableFile.Rename(copied, kept + suffix);
        }

        return kept;
    }

    private static FileInfo FollowLink(FileInfo link)
    {
        try
        {
            return new FileInfo(link.ResolveLinkTarget(returnFinalTarget: true)!.FullName);
        }
        catch (IOException exception)
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid,
                BackupErrorCategory.InvalidArgument,
                link.FullName,
                $"'{link.FullName}' is a link that leads nowhere: {exception.Message} Give the path of the database file to write.",
                exception);
        }
    }
}
