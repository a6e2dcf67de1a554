using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>The file that a restore writes: its present state, and the two ways to put an image there.</summary>
internal sealed class RestoreTarget
{
    // The files that SQLite keeps beside a database. Beside another image they would corrupt it.
    private static readonly string[] Companions = ["-wal", "-journal", "-shm"];

    private RestoreTarget(string path, bool exists, bool hasOtherNames)
    {
        Path = path;
        Exists = exists;
        HasOtherNames = hasOtherNames;
    }

    /// <summary>The full path, links followed.</summary>
    public string Path { get; }

    /// <summary>The folder of the file.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Whether there is a file now.</summary>
    public bool Exists { get; }

    /// <summary>Whether the file has other names (hard links), or is mounted by itself: they would not show another file in its place.</summary>
    public bool HasOtherNames { get; }

    /// <summary>Whether there is only a file without content, which SQLite takes for an empty database.</summary>
    public bool IsBlank => Exists && new FileInfo(Path).Length == 0;

    /// <summary>Whether a write-ahead log with content lies there.</summary>
    public bool HasLog => new FileInfo(Path + "-wal") is { Exists: true, Length: > 0 };

    /// <summary>Whether a log or journal lies there.</summary>
    public bool HasCompanions => Companions.Any(suffix => File.Exists(Path + suffix));

    /// <summary>Finds out what a destination names.</summary>
    /// <param name="destination">The given path.</param>
    /// <param name="allowHardLink">Whether nobody writes to the file under an unknown name.</param>
    /// <param name="context">Messages and cancellation.</param>
    /// <exception cref="BackupException">DestinationIsDirectory, DestinationInvalid, DatabaseHasOtherNames, DatabaseOpenInProcess.</exception>
    public static RestoreTarget Resolve(string destination, bool allowHardLink, OperationContext context)
    {
        var full = System.IO.Path.GetFullPath(destination);
        if (Directory.Exists(full))
        {
            throw new BackupException(
                BackupErrorId.DestinationIsDirectory, full,
                $"'{full}' is a directory. Give the path of the database file to write, such as '{System.IO.Path.Combine(full, "app.db")}'.");
        }

        var info = new FileInfo(Find(full));
        if (info.FullName != full)
        {
            context.Warn($"'{full}' is a link; '{info.FullName}' is restored.");
        }

        if (!Directory.Exists(info.DirectoryName))
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, BackupErrorCategory.ObjectNotFound, full,
                $"The folder '{info.DirectoryName}' of the destination does not exist. Create it first.");
        }

        if (FileKind.IsSpecial(info.FullName))
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, full, $"'{full}' is a device, pipe or socket, not a file. Give the path of the database file to write.");
        }

        RefuseStored(info.FullName);
        RefuseMountedLog(info.FullName);
        var names = new DatabaseNames(info.FullName, isWritten: true, allowHardLink, context);
        names.Require();
        return new RestoreTarget(info.FullName, info.Exists, names.AreSeveral);
    }

    private static void RefuseMountedLog(string path)
    {
        if (Array.Find(Companions, suffix => FileIdentity.IsMountPoint(path + suffix)) is { } mounted)
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, BackupErrorCategory.InvalidOperation, path,
                $"'{path}{mounted}' is a mount point, so a restore can neither remove nor replace it. Nothing was changed. Mount the folder of the database instead of its single files, or restore to a new file.");
        }
    }

    private static void RefuseStored(string path)
    {
        // A restore over a backup's own file, its sidecar or the directory's lock would destroy a backup and save nothing.
        var name = System.IO.Path.GetFileName(path);
        if (BackupFileName.IsSidecar(name) || BackupFileName.TryParse(name) is not null
            || System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path)) == HeldFolder.StateFolderName)
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, path,
                $"'{path}' belongs to a backup directory, so it is not overwritten. Give the path of the database file to write.");
        }
    }

    /// <summary>Puts a staged image in the place of a file that is missing or that SQLite cannot open.</summary>
    /// <param name="imagePath">The image, flushed, in a temporary folder on the same file system, with its final access.</param>
    /// <exception cref="IOException">It cannot be put there, and everything is unchanged; or the file was missing, and has been made meanwhile.</exception>
    public void Swap(string imagePath) => WithoutCompanions(
        Companions,
        System.IO.Path.GetDirectoryName(imagePath)!,
        () => DurableFile.Rename(imagePath, Path, overwrite: Exists));

    /// <summary>Makes a file the write-ahead log of a database that cannot be opened, in the place of its log and journal.</summary>
    /// <param name="logPath">The log, flushed, in a temporary folder on the same file system.</param>
    public void ReplaceLog(string logPath) =>
        WithoutCompanions(["-journal", "-shm"], System.IO.Path.GetDirectoryName(logPath)!, () => AdoptLog(logPath));

    /// <summary>Makes a file the database's write-ahead log, durably. The caller keeps everybody else out of the database meanwhile.</summary>
    /// <param name="logPath">The log, flushed, on the same file system, with the access of the database.</param>
    public void AdoptLog(string logPath) => DurableFile.Rename(logPath, Path + "-wal");

    /// <summary>Runs a change that must not find the old log and journal beside the database. If it fails, they are put back.</summary>
    private void WithoutCompanions(IReadOnlyList<string> suffixes, string workFolder, Action change)
    {
        // They are not deleted yet, because only the attempt shows whether the last step works (a mount, an immutable file, a sticky folder).
        var moved = new Stack<string>();
        try
        {
            foreach (var suffix in suffixes.Where(suffix => File.Exists(Path + suffix)))
            {
                DurableFile.Rename(Path + suffix, Replaced(suffix));
                moved.Push(suffix);
            }

            change();
        }
        catch
        {
            while (moved.TryPop(out var suffix))
            {
                DurableFile.Rename(Replaced(suffix), Path + suffix);
            }

            throw;
        }

        string Replaced(string suffix) => System.IO.Path.Combine(workFolder, "replaced" + suffix);
    }

    /// <summary>
    /// Copies a database that cannot be opened, with its log and journal, to names beside it that SQLite and recovery
    /// tools understand as one set.
    /// </summary>
    /// <param name="moment">The moment of the restore, which becomes part of the names.</param>
    /// <param name="workFolder">A temporary folder on the same file system: a file with its final name is complete.</param>
    /// <param name="cancellation">Stops the copying.</param>
    /// <returns>The path of the kept main file.</returns>
    public string KeepRaw(DateTimeOffset moment, string workFolder, CancellationToken cancellation)
    {
        var kept = KeptName(moment);
        for (var later = moment; Companions.Append(string.Empty).Any(suffix => File.Exists(kept + suffix)); kept = KeptName(later))
        {
            // A clock that was set back may reach the same moment again.
            later = later.AddMicroseconds(1);
        }

        foreach (var suffix in Companions.Append(string.Empty).Where(suffix => File.Exists(Path + suffix)))
        {
            var copied = System.IO.Path.Combine(workFolder, "damaged" + suffix);
            BlockCopy.Run(Path + suffix, copied, cancellation);
            DurableFile.Rename(copied, kept + suffix);
        }

        return kept;
    }

    private string KeptName(DateTimeOffset moment) => Path + ".damaged-" + BackupFileName.IdFor(moment)["backup_".Length..];

    /// <summary>Returns the file itself if the destination is a link. One pass checks the owners of the links and follows them.</summary>
    private static string Find(string full)
    {
        NamedPlace place;
        try
        {
            place = NamedPlace.Find(full, followLast: true);
        }
        catch (StrangeLinkException exception)
        {
            throw DiskFault.From(exception, full, BackupErrorId.DestinationNotWritable, string.Empty);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && new FileInfo(full).LinkTarget is null)
        {
            // The code that works in the folder explains better what is wrong with it.
            return full;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw LeadsNowhere(full, exception.Message, exception);
        }

        using (place)
        {
            return !place.IsLink ? full
                : File.Exists(place.Path) ? place.Path
                : throw LeadsNowhere(full, $"there is no '{place.Path}'.", null);
        }
    }

    private static BackupException LeadsNowhere(string link, string reason, Exception? inner) => new(
        BackupErrorId.DestinationInvalid, link, $"'{link}' is a dangling link: {reason} Give the path of the database file to write.", inner);
}
