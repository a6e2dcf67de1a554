using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Catalog;

/// <summary>Reads a directory of backups: its sidecars, and the predecessor's index for those without one. It takes no lock.</summary>
/// <param name="root">The directory's full path. It need not exist.</param>
/// <param name="clock">The clock for ages.</param>
internal sealed class CatalogReader(string root, TimeProvider clock)
{
    private const int MostLooks = 3;

    private const int UsualBytes = 4096;

    /// <summary>Lists all backups, newest first.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public CatalogListing List()
    {
        for (var look = 1; ; look++)
        {
            var listing = ListOnce();
            if (look == MostLooks || !HasMoved(listing.Backups))
            {
                return listing;
            }
        }
    }

    private CatalogListing ListOnce()
    {
        var faults = new ConcurrentBag<BackupException>();
        var index = ReadIndex(faults.Add);
        var found = new ConcurrentBag<BackupMetadata>();
        IReadOnlyList<string> ids;

        // Held open, so that each sidecar is found by its name alone.
        using (var folder = OpenRoot())
        {
            ids = SidecarIds(folder);
            _ = Parallel.ForEach(ids, () => new byte[UsualBytes], (id, _, buffer) =>
            {
                try
                {
                    found.Add(Load(id, index, folder, ref buffer));
                }
                catch (BackupException exception) when (exception.ErrorId == BackupErrorId.BackupNotFound)
                {
                    // Removed since the names were read.
                }
                catch (BackupException exception)
                {
                    faults.Add(exception);
                }

                return buffer;
            }, _ => { });
        }

        if (index is not null)
        {
            foreach (var id in index.Ids.Except(ids, StringComparer.Ordinal).ToList())
            {
                try
                {
                    found.Add(Load(id, index));
                }
                catch (BackupException exception)
                {
                    faults.Add(exception);
                }
            }
        }

        return new CatalogListing(
            [.. BackupChain.WithDepths(found).NewestFirst()],
            [.. faults.OrderBy(fault => fault.Target as string, StringComparer.Ordinal)]);
    }

    /// <summary>Finds one backup by its id.</summary>
    /// <exception cref="BackupException">BackupNotFound, SidecarInvalid, SidecarHostile, DirectoryNotFound.</exception>
    public BackupMetadata Get(string id)
    {
        if (!BackupFileName.IsId(id))
        {
            throw IdOfFile(id) is { } meant
                ? new BackupException(
                    BackupErrorId.BackupNotFound, id,
                    $"'{id}' is the name of a file. Give the id, '{meant}', or a backup's file with -LiteralPath (Test-SHBackup, Restore-SHBackup).")
                : NotFound(id);
        }

        try
        {
            return Chain(id)[^1];
        }
        catch (BackupException exception)
            when (exception.ErrorId == BackupErrorId.BackupNotFound && exception.Target as string == id && FileWithoutSidecar(id) is { } file)
        {
            throw new BackupException(
                BackupErrorId.BackupNotFound, id,
                $"The backup '{id}' has lost its sidecar '{SidecarPath(id)}', but its file is still there. Fetch the sidecar from a copy, or restore the file itself with Restore-SHBackup -LiteralPath {PowerShellText.Literal(file)}.",
                exception);
        }
        catch (BackupException exception) when (exception.ErrorId != BackupErrorId.BackupNotFound)
        {
            // A broken chain has no depth. An operation that needs the chain reports what is wrong with it.
            return Load(id, ReadIndex(_ => { }));
        }
    }

    /// <summary>Whether an id is taken, even by an unusable sidecar.</summary>
    public bool Has(string id) => BackupFileName.IsId(id)
        && (File.Exists(SidecarPath(id)) || (Directory.Exists(root) && TryGet(id) is not null));

    /// <summary>Finds one backup by its id; null if there is none.</summary>
    /// <exception cref="BackupException">SidecarInvalid, SidecarHostile.</exception>
    public BackupMetadata? TryGet(string id) => TryLoad(id, ReadIndex(_ => { }));

    /// <summary>Returns the chain of a backup, the full one first, with depths.</summary>
    /// <exception cref="BackupException">ChainBroken, BackupNotFound, SidecarInvalid, SidecarHostile.</exception>
    public IReadOnlyList<BackupMetadata> Chain(string id)
    {
        for (var look = 1; ; look++)
        {
            try
            {
                var index = ReadIndex(_ => { });
                return BackupChain.Resolve(Load(id, index), parent => TryLoad(parent, index));
            }
            catch (BackupException exception) when (exception.ErrorId == BackupErrorId.ChainBroken && look < MostLooks)
            {
                // One sidecar may have been folded, and the other removed, between the reading of the two.
            }
        }
    }

    /// <summary>Returns the ids of all backups with a sidecar, in no order and without reading them: for tab completion and wildcards.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public IReadOnlyList<string> SidecarIds()
    {
        using var folder = OpenRoot();
        return SidecarIds(folder);
    }

    private IReadOnlyList<string> SidecarIds(HeldFolder folder) => Readable<IReadOnlyList<string>>(() =>
        [.. folder.FileNames(BackupFileName.IsSidecar).Select(name => name[..^BackupFileName.SidecarSuffix.Length])]);

    private HeldFolder OpenRoot() => Readable(() => HeldFolder.Open(root));

    private T Readable<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is DirectoryNotFoundException || (exception is IOException && File.Exists(root)))
        {
            RefuseFile();
            throw new BackupException(
                BackupErrorId.DirectoryNotFound, root,
                $"The backup directory '{root}' does not exist. Give the right one with -BackupDirectory, or make the first backup with New-SHBackup, which creates the directory.",
                exception);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new BackupException(
                BackupErrorId.DirectoryUnreadable, root, $"The backup directory '{root}' cannot be read: {exception.Message} Check its permissions.",
                exception);
        }
    }

    /// <summary>Returns the bytes of a backup's sidecar, or of its entry in the predecessor's index.</summary>
    public byte[]? ReadSidecar(string id)
    {
        byte[] bytes = [];
        return TryReadSidecar(id, folder: null, ref bytes, out var length) ? bytes[..length] : ReadIndex(_ => { })?.Entry(id);
    }

    private bool TryReadSidecar(string id, HeldFolder? folder, ref byte[] bytes, out int length)
    {
        try
        {
            if (folder is not null)
            {
                length = folder.ReadAllBytes(id + BackupFileName.SidecarSuffix, Sidecar.LargestBytes, ref bytes);
                return true;
            }

            bytes = RegularFile.ReadAllBytes(SidecarPath(id), Sidecar.LargestBytes);
            length = bytes.Length;
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            length = 0;
            return false;
        }
        catch (FileTooLargeException exception)
        {
            var path = SidecarPath(id);
            throw new BackupException(
                BackupErrorId.SidecarInvalid, path, $"The sidecar '{path}' cannot be used: it is too large for a sidecar. Correct or delete it.", exception);
        }
        catch (NotAFileException exception)
        {
            throw Hostile(exception);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            var path = SidecarPath(id);
            throw new BackupException(
                BackupErrorId.DirectoryUnreadable, path, $"The sidecar '{path}' cannot be read: {exception.Message} Check its permissions.", exception);
        }
    }

    private static BackupException Hostile(NotAFileException exception) => new(
        BackupErrorId.SidecarHostile, exception.Path,
        $"'{exception.Path}' is a link, device or pipe, which are not followed in a backup directory. Put the file itself there.", exception);

    /// <summary>Opens a backup's file for reading. While it is open, no clean-up treats it as abandoned.</summary>
    /// <exception cref="BackupException">BackupFileMissing, SidecarHostile, ReadFailed.</exception>
    public static SafeFileHandle OpenFile(BackupMetadata backup)
    {
        try
        {
            return RegularFile.Open(backup.BackupPath, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.SequentialScan);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BackupException(
                BackupErrorId.BackupFileMissing, backup.Id,
                $"The file '{backup.BackupPath}' of backup '{backup.Id}' is missing. Fetch it from a copy, or remove the entry with Remove-SHBackup. Get-SHBackup lists other backups.",
                exception);
        }
        catch (NotAFileException exception)
        {
            throw Hostile(exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(
                BackupErrorId.ReadFailed, backup.BackupPath, $"'{backup.BackupPath}' cannot be read: {exception.Message} Check its permissions and the disk.",
                exception);
        }
    }

    /// <summary>
    /// Whether a chain looks broken only because the directory changed while its sidecars were read: reading takes no lock.
    /// </summary>
    private bool HasMoved(IReadOnlyList<BackupMetadata> backups)
    {
        var broken = backups.Where(backup => backup.Depth is null).ToList();
        if (broken.Count == 0)
        {
            return false;
        }

        var ids = backups.Select(backup => backup.Id).ToHashSet(StringComparer.Ordinal);
        var index = ReadIndex(_ => { });
        return broken.Exists(backup => HasChanged(backup) || HasAppeared(backup.ParentId));

        bool HasChanged(BackupMetadata backup) => Look(backup.Id) is not { } now || now.BackupPath != backup.BackupPath;

        bool HasAppeared(string? id) => id is not null && !ids.Contains(id) && Look(id) is not null;

        BackupMetadata? Look(string id)
        {
            try
            {
                return TryLoad(id, index);
            }
            catch (BackupException)
            {
                // An unusable sidecar. The listing reports it.
                return null;
            }
        }
    }

    private BackupMetadata Load(string id, PredecessorIndex? index)
    {
        byte[] bytes = [];
        return Load(id, index, folder: null, ref bytes);
    }

    private BackupMetadata Load(string id, PredecessorIndex? index, HeldFolder? folder, ref byte[] bytes)
    {
        var json = TryReadSidecar(id, folder, ref bytes, out var length) ? bytes.AsSpan(0, length) : index?.Entry(id) ?? throw NotFound(id);
        var backup = Sidecar.Read(json, id, root, clock);
        if (backup is { IsPredecessor: true, Verified: false, VerificationTimestamp: null } && index?.Entry(id) is { } entry)
        {
            var indexed = Sidecar.Read(entry, id, root, clock);
            if (indexed.Verified)
            {
                return backup with { Verified = true, VerificationTimestamp = indexed.VerificationTimestamp };
            }
        }

        return backup;
    }

    private BackupMetadata? TryLoad(string id, PredecessorIndex? index)
    {
        try
        {
            return BackupFileName.IsId(id) ? Load(id, index) : null;
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.BackupNotFound)
        {
            return null;
        }
    }

    private PredecessorIndex? ReadIndex(Action<BackupException> fault)
    {
        try
        {
            return PredecessorIndex.Read(root);
        }
        catch (BackupException exception)
        {
            fault(exception);
            return null;
        }
    }

    /// <summary>Returns the path of a backup's sidecar, whether it exists or not.</summary>
    public string SidecarPath(string id) => Path.Combine(root, id + BackupFileName.SidecarSuffix);

    /// <summary>Refuses a missing directory.</summary>
    /// <exception cref="BackupException">DirectoryNotFound, DirectoryUnreadable.</exception>
    public void RequireExisting()
    {
        // Taking the lock would create the directory.
        if (!Directory.Exists(root))
        {
            _ = SidecarIds();
        }
    }

    /// <summary>Refuses the path of a file.</summary>
    /// <exception cref="BackupException">DirectoryNotFound.</exception>
    public void RefuseFile()
    {
        if (File.Exists(root))
        {
            throw new BackupException(
                BackupErrorId.DirectoryNotFound, root, $"'{root}' is a file, not a directory. Give the directory of the backups with -BackupDirectory.");
        }
    }

    /// <summary>Returns the id in the name of a backup's file or sidecar, because Tab offers those names too; null if it is neither.</summary>
    private static string? IdOfFile(string text)
    {
        var name = Path.GetFileName(text);
        return BackupFileName.TryParse(name)?.Id ?? (BackupFileName.IsSidecar(name) ? name[..^BackupFileName.SidecarSuffix.Length] : null);
    }

    /// <summary>Finds a file with a backup's name, whether it has a sidecar or not.</summary>
    private string? FileWithoutSidecar(string id)
    {
        try
        {
            return Directory.EnumerateFiles(root, id + "_*").FirstOrDefault(path => BackupFileName.TryParse(Path.GetFileName(path))?.Id == id);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No file can be looked for, and the backup is not found in any case.
            return null;
        }
    }

    private BackupException NotFound(string id) => new(
        BackupErrorId.BackupNotFound, id, $"There is no backup '{id}' in '{root}'. List the backups with Get-SHBackup -BackupDirectory '{root}'.");
}
