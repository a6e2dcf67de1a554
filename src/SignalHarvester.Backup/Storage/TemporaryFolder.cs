using System.Globalization;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// A private folder (0700) for plain database content, deleted however the operation ends. If a process was killed, the
/// account's next one finds the lock of its folder free and deletes it. The folder is reached by descriptor, because it may be
/// in a folder that others may write to, and they could put another one in its place.
/// </summary>
internal sealed class TemporaryFolder : IDisposable
{
    private const string Prefix = "shbackup-";
    private const string LockName = ".lock";
    private const int MostAttempts = 10;

    private readonly HeldFolder parent;
    private readonly string name;
    private readonly HeldFolder folder;
    private readonly SafeFileHandle guard;

    private TemporaryFolder(HeldFolder parent, string name, HeldFolder folder, SafeFileHandle guard)
    {
        this.parent = parent;
        this.name = name;
        this.folder = folder;
        this.guard = guard;
    }

    /// <summary>A path to the folder that keeps leading to it until it is disposed.</summary>
    public string Path => System.IO.Path.TrimEndingDirectorySeparator(folder.FilePath(string.Empty));

    /// <summary>Makes a folder in another one, and deletes what dead processes left there.</summary>
    /// <param name="parent">The folder to make it in. A missing one is made. Others may write to it.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be made.</exception>
    public static TemporaryFolder Create(string parent)
    {
        PrivateFolder.Create(parent);
        var held = HeldFolder.Open(parent);
        try
        {
            var made = Create(held);
            Sweep(held, made.folder.Owner);
            return made;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static TemporaryFolder Create(HeldFolder parent)
    {
        for (var attempt = 1; ; attempt++)
        {
            var name = Prefix + Guid.NewGuid().ToString("N");
            var folder = parent.CreateFolder(name);
            SafeFileHandle? guard = null;
            try
            {
                guard = folder.OpenFile(LockName, FileMode.CreateNew, FileAccess.Write, DurableFile.Exclusive);
                if (!OperatingSystem.IsWindows() && folder.Owner != FileStatus.Of(guard).User)
                {
                    // The account itself is not compared: some file systems give new files to another account than the one that made them.
                    throw new UnauthorizedAccessException(
                        $"'{System.IO.Path.Combine(parent.Path, name)}' was created, but now another account's folder has its place.");
                }

                if (folder.Names().Contains(LockName))
                {
                    return new TemporaryFolder(parent, name, folder, guard);
                }

                // The file is made first and then locked. If it is swept in between, we hold a lock on a deleted file.
                guard.Dispose();
                folder.Dispose();
            }
            catch (IOException) when (attempt < MostAttempts)
            {
                // Another process may have swept the folder before it was locked; the next name is tried.
                guard?.Dispose();
                folder.Dispose();
            }
            catch
            {
                guard?.Dispose();
                folder.Dispose();
                throw;
            }
        }
    }

    /// <summary>Makes a folder in the first of several that has room and can be written to.</summary>
    /// <param name="parents">Where to try, the best first.</param>
    /// <param name="bytes">The room that is needed.</param>
    /// <exception cref="BackupException">InsufficientSpace: none has room. WriteFailed: none can be written to.</exception>
    public static TemporaryFolder CreateInFirst(IReadOnlyList<string> parents, long bytes)
    {
        BackupException? fault = null;
        var full = new List<string>();
        foreach (var parent in parents)
        {
            try
            {
                PrivateFolder.Create(parent);
                if (FreeSpace.Of(parent) is var free && free < bytes)
                {
                    full.Add(string.Create(CultureInfo.InvariantCulture, $"'{parent}' ({free >> 20} MiB free)"));
                    continue;
                }

                return Create(parent);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                fault ??= DiskFault.From(
                    exception, parent, BackupErrorId.WriteFailed, "A temporary copy needs room there, or in the system's temporary folder.");
            }
        }

        throw full.Count == 0 ? fault! : new BackupException(
            BackupErrorId.InsufficientSpace, parents[0], string.Create(
                CultureInfo.InvariantCulture,
                $"The check of the backup needs at least {(bytes >> 20) + 1} MiB for an unpacked copy, and there is no room for it in {string.Join(" or ", full)}. Free some space, or set TMPDIR (TEMP on Windows) to a folder with enough room."));
    }

    /// <summary>Deletes what dead processes of this account left below a folder. The folder may be missing.</summary>
    public static void Sweep(string parent)
    {
        if (!Directory.Exists(parent))
        {
            return;
        }

        using var held = HeldFolder.Open(parent);
        Sweep(held, OperatingSystem.IsWindows() ? null : UnixAccounts.CurrentUser);
    }

    private static void Sweep(HeldFolder parent, uint? owner)
    {
        foreach (var name in parent.Names().Where(IsOurs))
        {
            try
            {
                SweepOne(parent, name, owner);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // In use by a living process, owned by another account, or no folder: we must not delete it.
            }
        }
    }

    private static void SweepOne(HeldFolder parent, string name, uint? owner)
    {
        using var folder = parent.OpenFolder(name);
        if (folder.Owner != owner || !folder.IsPrivate)
        {
            return;
        }

        try
        {
            Clear(parent, name, folder, folder.OpenFile(LockName, FileMode.Open, FileAccess.Write, DurableFile.Exclusive));
        }
        catch (FileNotFoundException)
        {
            // It is just being made, or it was emptied and only its name is left.
            parent.DeleteEmptyFolder(name);
        }
    }

    /// <summary>Returns a path for a file in this folder.</summary>
    public string FilePath(string file) => folder.FilePath(file);

    /// <inheritdoc/>
    public void Dispose()
    {
        using (parent)
        using (folder)
        {
            Clear(parent, name, folder, guard);
        }
    }

    /// <summary>Whether a name is one of ours: the parent can be the user's own folder, with other folders whose names begin alike.</summary>
    private static bool IsOurs(string name) =>
        name.Length == Prefix.Length + 32
        && name.StartsWith(Prefix, StringComparison.Ordinal)
        && name.Skip(Prefix.Length).All(char.IsAsciiHexDigitLower);

    /// <summary>Deletes a folder whose lock is held. The lock goes last, so that nobody else starts to delete the folder meanwhile.</summary>
    private static void Clear(HeldFolder parent, string name, HeldFolder folder, SafeFileHandle held)
    {
        using (held)
        {
            folder.Clear(kept: LockName);
            folder.Delete(LockName);
        }

        parent.DeleteEmptyFolder(name);
    }
}
