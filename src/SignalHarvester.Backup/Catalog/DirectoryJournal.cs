using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Catalog;

/// <summary>
/// The unfinished changes of a backup directory: a run leaves a marker before names change, so that the next run can finish
/// the work of a killed one. Everything happens under the directory's lock. See docs/FORMAT.md.
/// </summary>
internal sealed class DirectoryJournal(BackupDirectoryLayout layout, TimeProvider clock)
{
    /// <summary>Refuses a state folder that leads elsewhere: files that we sweep or finish there would not be ours.</summary>
    /// <exception cref="BackupException">SidecarHostile.</exception>
    public void RefuseLinks()
    {
        foreach (var folder in layout.Folders)
        {
            if (new DirectoryInfo(folder).LinkTarget is not null)
            {
                throw new BackupException(
                    BackupErrorId.SidecarHostile, folder,
                    $"'{folder}' is a link, which is not followed in a backup directory. Delete the link: a restore needs nothing in .shbackup.");
            }
        }
    }

    /// <summary>Publishes a finished file.</summary>
    public void Publish(PartialBackup partial, string id, byte[] sidecar)
    {
        DurableFile.CreateDirectory(layout.PublishingFolder);
        var staged = MarkerPath(layout.PublishingFolder, id);
        DurableFile.WriteAllBytes(staged, sidecar, SidecarPath(id));
        partial.Rename();
        DurableFile.Rename(staged, SidecarPath(id));
    }

    /// <summary>Publishes a finished file in place of a backup's former one, which it deletes last.</summary>
    /// <param name="partial">The new file.</param>
    /// <param name="former">The backup's present description.</param>
    /// <param name="formerSidecar">The bytes of that description.</param>
    /// <param name="sidecar">The new description, which names the new file.</param>
    public void Replace(PartialBackup partial, BackupMetadata former, byte[] formerSidecar, byte[] sidecar)
    {
        DurableFile.CreateDirectory(layout.SupersededFolder);
        DurableFile.WriteAllBytes(MarkerPath(layout.SupersededFolder, former.Id), formerSidecar);
        Publish(partial, former.Id, sidecar);
        FinishSuperseding(former);
    }

    /// <summary>
    /// Removes a backup: sidecar, index entry, file. The sidecar itself becomes the marker, so a backup whose removal has begun
    /// is never listed, and nothing can build on it.
    /// </summary>
    /// <param name="backup">The backup.</param>
    /// <param name="indexEntry">Its entry in the predecessor's index, if it has no sidecar.</param>
    public void Remove(BackupMetadata backup, byte[] indexEntry)
    {
        DurableFile.CreateDirectory(layout.RemovingFolder);
        var marker = MarkerPath(layout.RemovingFolder, backup.Id);
        if (File.Exists(SidecarPath(backup.Id)))
        {
            DurableFile.Rename(SidecarPath(backup.Id), marker);
        }
        else
        {
            DurableFile.WriteAllBytes(marker, indexEntry);
        }

        FinishRemoval(backup);
    }

    /// <summary>
    /// Moves a damaged backup from the listing to the quarantine. The sidecar in the quarantine is written first and is the
    /// marker: the backup stays listed until its own sidecar is gone, and the next change of the directory completes the move.
    /// </summary>
    /// <param name="backup">The backup.</param>
    /// <param name="folder">A new folder in the quarantine.</param>
    /// <param name="marked">Its description, with its defect.</param>
    public void Quarantine(BackupMetadata backup, string folder, byte[] marked)
    {
        DurableFile.CreateDirectory(folder);
        DurableFile.WriteAllBytes(MarkerPath(folder, backup.Id), marked, SidecarPath(backup.Id));
        DurableFile.Delete(SidecarPath(backup.Id));
        FinishQuarantine(backup.Id, backup.BackupPath, folder);
    }

    /// <summary>
    /// Replaces a damaged file by a good one, and keeps the damaged one in the quarantine. If the run is killed in between, the
    /// backup stays listed, as damaged or without a file, and the next scrub repairs it.
    /// </summary>
    /// <param name="backup">The backup.</param>
    /// <param name="folder">A new folder in the quarantine; null if there is no damaged file.</param>
    /// <param name="marked">The description in the quarantine, with the defect.</param>
    /// <param name="good">The good file.</param>
    /// <param name="sidecar">The new description of the backup.</param>
    public void Repair(BackupMetadata backup, string? folder, byte[] marked, PartialBackup good, byte[] sidecar)
    {
        if (folder is not null)
        {
            DurableFile.CreateDirectory(folder);
            DurableFile.WriteAllBytes(MarkerPath(folder, backup.Id), marked, SidecarPath(backup.Id));
            DurableFile.Rename(backup.BackupPath, Path.Combine(folder, Path.GetFileName(backup.BackupPath)));
        }

        good.Rename();
        DurableFile.WriteAllBytes(SidecarPath(backup.Id), sidecar);
    }

    /// <summary>
    /// Finishes or undoes the unfinished work of killed runs. This comes before any decision: otherwise a new backup could build
    /// on one whose removal is finished afterwards.
    /// </summary>
    /// <param name="warn">Receives a warning about unfinished work, which is left for the next run.</param>
    public void Finish(Action<string> warn)
    {
        foreach (var marker in Markers(layout.RemovingFolder))
        {
            Attempt(() => FinishRemoval(marker), $"The removal of '{marker.Id}' could not be finished", warn);
        }

        foreach (var staged in Markers(layout.PublishingFolder))
        {
            Attempt(() => FinishPublishing(staged), $"The publishing of '{staged.Id}' could not be finished", warn);
        }

        // After the publishing, because that decides which of two files counts.
        foreach (var former in Markers(layout.SupersededFolder))
        {
            Attempt(() => FinishSuperseding(former), $"The former file of '{former.Id}' could not be deleted", warn);
        }

        Attempt(FinishQuarantines, $"'{layout.QuarantineFolder}' could not be tidied up", warn);
    }

    /// <summary>Deletes the unfinished files of killed runs.</summary>
    /// <param name="warn">Receives a warning about undeleted files, which are left for the next run.</param>
    public void Sweep(Action<string> warn)
    {
        foreach (var folder in new[] { layout.Path, layout.DigestFolder, layout.PublishingFolder, layout.RemovingFolder, layout.SupersededFolder }
            .Where(Directory.Exists))
        {
            foreach (var partial in Directory.EnumerateFiles(folder, "*" + BackupFileName.PartialSuffix).Where(IsOurs))
            {
                Attempt(() => DeleteIfAbandoned(partial), $"'{partial}' is left over and cannot be deleted", warn);
            }
        }

        // Plain database content, which must not stay until some run needs such a folder again. The system's folder is used if
        // there is no room here.
        foreach (var parent in new[] { layout.TemporaryParent, Path.GetTempPath() })
        {
            Attempt(() => TemporaryFolder.Sweep(parent), $"'{parent}' cannot be cleared", warn);
        }
    }

    private static void Attempt(Action action, string failure, Action<string> warn)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or BackupException)
        {
            warn($"{failure}: {exception.Message} The next run tries again.");
        }
    }

    private static bool IsOurs(string partial)
    {
        var name = Path.GetFileNameWithoutExtension(partial);
        return BackupFileName.TryParse(name) is not null
            || BackupFileName.IsSidecar(name)
            || PageDigestFile.IsPartialName(name);
    }

    private static void DeleteIfAbandoned(string partial)
    {
        try
        {
            using var handle = RegularFile.Open(partial, FileMode.Open, FileAccess.ReadWrite, DurableFile.Exclusive);
            DurableFile.Discard(partial);
        }
        catch (IOException exception) when (DiskFault.IsHeldElsewhere(exception))
        {
            // The writing run holds it, so it is not abandoned.
        }
    }

    private static string MarkerPath(string folder, string id) => Path.Combine(folder, id + BackupFileName.SidecarSuffix);

    private string SidecarPath(string id) => Path.Combine(layout.Path, id + BackupFileName.SidecarSuffix);

    private List<BackupMetadata> Markers(string folder)
    {
        var markers = new List<BackupMetadata>();
        if (!Directory.Exists(folder))
        {
            return markers;
        }

        foreach (var path in Directory.EnumerateFiles(folder, "*" + BackupFileName.SidecarSuffix))
        {
            var id = Path.GetFileNameWithoutExtension(path);
            if (!BackupFileName.IsId(id))
            {
                continue;
            }

            try
            {
                markers.Add(Sidecar.Read(RegularFile.ReadAllBytes(path, Sidecar.LargestBytes), id, layout.Path, clock));
            }
            catch (Exception exception) when (exception is BackupException or FileTooLargeException)
            {
                // We did not write it, because our markers are either complete or missing. Without it only a clean-up is lost.
                DurableFile.Discard(path);
            }
        }

        return markers;
    }

    private void FinishRemoval(BackupMetadata backup)
    {
        // If the sidecar is there again, somebody has restored the backup from a copy.
        if (!File.Exists(SidecarPath(backup.Id)))
        {
            RemoveFromIndex(backup.Id);
            DurableFile.Delete(backup.BackupPath);
        }

        DurableFile.Delete(MarkerPath(layout.RemovingFolder, backup.Id));
    }

    private void FinishSuperseding(BackupMetadata former)
    {
        // The sidecar decides. If it still names the former file, the new file never got its name.
        var sidecar = SidecarPath(former.Id);
        if (File.Exists(sidecar)
            && Sidecar.Read(RegularFile.ReadAllBytes(sidecar, Sidecar.LargestBytes), former.Id, layout.Path, clock).BackupPath != former.BackupPath)
        {
            DurableFile.Delete(former.BackupPath);
        }

        DurableFile.Delete(MarkerPath(layout.SupersededFolder, former.Id));
    }

    private void FinishQuarantines()
    {
        if (!Directory.Exists(layout.QuarantineFolder))
        {
            return;
        }

        foreach (var folder in new DirectoryInfo(layout.QuarantineFolder).EnumerateDirectories().Where(folder => folder.LinkTarget is null))
        {
            foreach (var file in folder.GetFiles("backup_*" + BackupFileName.SidecarSuffix))
            {
                var id = Path.GetFileNameWithoutExtension(file.Name);
                if (BackupFileName.IsId(id) && !folder.EnumerateFiles(id + "_*").Any())
                {
                    FinishQuarantine(
                        id, Sidecar.Read(RegularFile.ReadAllBytes(file.FullName, Sidecar.LargestBytes), id, layout.Path, clock).BackupPath, folder.FullName);
                }
            }

            foreach (var partial in folder.GetFiles("*" + BackupFileName.PartialSuffix).Where(partial => IsOurs(partial.FullName)))
            {
                partial.Delete();
            }

            if (!folder.EnumerateFileSystemInfos().Any())
            {
                folder.Delete();
            }
        }
    }

    private void FinishQuarantine(string id, string file, string folder)
    {
        if (File.Exists(SidecarPath(id)))
        {
            // Still listed: its file has not been moved, and the next scrub decides again.
            DurableFile.Delete(MarkerPath(folder, id));
            return;
        }

        RemoveFromIndex(id);
        if (File.Exists(file))
        {
            DurableFile.Rename(file, Path.Combine(folder, Path.GetFileName(file)));
        }
    }

    private void RemoveFromIndex(string id)
    {
        PredecessorIndex? index;
        try
        {
            index = PredecessorIndex.Read(layout.Path);
        }
        catch (BackupException)
        {
            // An unreadable index lists nothing, and so not this backup.
            return;
        }

        index?.Remove(id);
    }

    private void FinishPublishing(BackupMetadata staged)
    {
        var marker = MarkerPath(layout.PublishingFolder, staged.Id);
        if (File.Exists(staged.BackupPath))
        {
            DurableFile.Rename(marker, SidecarPath(staged.Id));
        }
        else
        {
            DurableFile.Delete(marker);
        }
    }
}
