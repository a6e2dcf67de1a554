using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Writes files so that a crash leaves the old state or the new one: temporary name, flush, rename, flush the folder.</summary>
internal static class DurableFile
{
    private const int MostAttempts = 100;
    private const int PauseMilliseconds = 10;

    // The most that we copy of a mode that somebody else may have set: never a set-user-id bit, and never write access for everybody.
    private const UnixFileMode MostShared = OwnersAlone | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead;

    /// <summary>The mode of a file that others may neither read nor write.</summary>
    public const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Nobody else can open a file that is held for writing, but it can be renamed and deleted.</summary>
    /// <remarks>On Unix, .NET takes an exclusive flock only for None. On Windows, None would forbid the rename.</remarks>
    public static FileShare Exclusive => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    /// <summary>Writes a small file whole: nobody ever sees half of it.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="content">Its new content.</param>
    /// <param name="like">The file whose mode it gets, as in <see cref="CreatePrivate"/>; null for the file that it replaces.</param>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> content, string? like = null)
    {
        using var folder = HeldFolder.OpenParent(path);
        WriteAllBytes(folder, Path.GetFileName(path), content, OperatingSystem.IsWindows() ? null : ModeLike(like ?? path));
    }

    /// <summary>Writes a small file whole, in an open folder, whose path is not resolved again.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The file to make or replace in it.</param>
    /// <param name="content">Its new content.</param>
    /// <param name="mode">The mode, which it gets before its final name; null for the mode of the file that it replaces.</param>
    public static void WriteAllBytes(HeldFolder folder, string name, ReadOnlySpan<byte> content, UnixFileMode? mode = null)
    {
        RequireFile(folder.FilePath(name));
        WritePartial(folder, name, content, mode ?? ModeLike(folder, name), isDurable: true);
        Rename(folder, Partial(name), folder, name, overwrite: true);
    }

    /// <summary>Writes a small file whole, in an open folder. After a crash the old content, the new, or none may be there: nobody needs it then.</summary>
    /// <exception cref="IOException">It failed; or the existing name is not a file.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static void WriteFleeting(HeldFolder folder, string name, ReadOnlySpan<byte> content)
    {
        RequireFile(folder.FilePath(name));
        WritePartial(folder, name, content, ModeLike(folder, name), isDurable: false);
        Move(folder, Partial(name), folder, name, overwrite: true);
    }

    private static string Partial(string name) => name + ".partial";

    private static void WritePartial(HeldFolder folder, string name, ReadOnlySpan<byte> content, UnixFileMode? mode, bool isDurable)
    {
        var temporary = Partial(name);

        // A remnant of a killed run, or somebody's link: delete it, and never write through it.
        folder.Delete(temporary);
        var handle = folder.OpenFile(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        try
        {
            if (!OperatingSystem.IsWindows() && mode is { } wanted)
            {
                File.SetUnixFileMode(handle, wanted);
            }

            RandomAccess.Write(handle, content, 0);
            if (isDurable)
            {
                RandomAccess.FlushToDisk(handle);
            }
        }
        finally
        {
            RegularFile.Release(handle);
        }
    }

    /// <summary>Writes a small file that only its owner can read, in an open folder, if the name is free.</summary>
    /// <exception cref="IOException">The name is taken, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static void WriteNew(HeldFolder folder, string name, ReadOnlySpan<byte> content)
    {
        var temporary = $"{name}.partial-{Guid.NewGuid():N}";
        try
        {
            var handle = folder.OpenFile(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            try
            {
                RandomAccess.Write(handle, content, 0);
                RandomAccess.FlushToDisk(handle);
            }
            finally
            {
                RegularFile.Release(handle);
            }

            Rename(folder, temporary, folder, name, overwrite: false);
        }
        finally
        {
            folder.Delete(temporary);
        }
    }

    /// <summary>Makes a new file that only its owner can read: the content and the description of a database are private.</summary>
    /// <param name="path">The file to make.</param>
    /// <param name="share">What others may do with it while it is open.</param>
    /// <param name="like">
    /// The file that it will replace. It gets that file's mode, because whoever let others read the old file meant to. Null, or a
    /// missing file, if it replaces none.
    /// </param>
    public static SafeFileHandle CreatePrivate(string path, FileShare share, string? like = null)
    {
        // A new name is no link; only the way to it can lead through one, where others may write. Handles of .NET release their
        // lock when they are closed.
        var handle = HeldFolder.IsInOwn(path)
            ? RegularFile.Open(path, FileMode.CreateNew, FileAccess.ReadWrite, share)
            : File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, share);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(handle, like is null ? OwnersAlone : ModeLike(like));
        }

        return handle;
    }

    /// <summary>Renames, by default over an existing file, and makes the rename durable.</summary>
    /// <exception cref="IOException">It failed; or the existing name is not a file, because a rename would replace even /dev/null permanently.</exception>
    public static void Rename(string from, string to, bool overwrite = true)
    {
        using var target = HeldFolder.OpenParent(to);
        if (Path.GetDirectoryName(from) == Path.GetDirectoryName(to))
        {
            // If the folder were opened twice, the second path might lead elsewhere, and we would rename somebody else's file.
            Rename(target, Path.GetFileName(from), target, Path.GetFileName(to), overwrite);
            return;
        }

        using var source = HeldFolder.OpenParent(from);
        Rename(source, Path.GetFileName(from), target, Path.GetFileName(to), overwrite);
        source.Flush();
    }

    /// <summary>Renames a file within an open folder, or into another one, and makes the new name durable.</summary>
    /// <exception cref="IOException">As in the other overload.</exception>
    public static void Rename(HeldFolder source, string name, HeldFolder target, string newName, bool overwrite)
    {
        RequireFile(target.FilePath(newName));
        Move(source, name, target, newName, overwrite);
        target.Flush();
    }

    private static void Move(HeldFolder source, string name, HeldFolder target, string newName, bool overwrite)
    {
        if (OperatingSystem.IsWindows())
        {
            // Windows cannot replace a file while anybody reads it, not even if the reader allows its deletion. Readers of a sidecar
            // (another listing, a virus scanner, an indexer) finish within milliseconds.
            RetryWhileHeld(() => source.Rename(name, target, newName, overwrite));
        }
        else
        {
            source.Rename(name, target, newName, overwrite);
        }
    }

    private static UnixFileMode? ModeLike(HeldFolder folder, string name) => OperatingSystem.IsWindows() ? null : ModeLike(folder.FilePath(name));

    [UnsupportedOSPlatform("windows")]
    private static UnixFileMode ModeLike(string path) => FileStatus.OfItself(path) is { IsRegular: true } former ? former.Mode & MostShared : OwnersAlone;

    private static void RequireFile(string path)
    {
        if (new FileInfo(path) is { Exists: true, LinkTarget: null } && !FileKind.IsRegularItself(path))
        {
            throw new IOException($"'{path}' is a device, a pipe or a socket, not a file.");
        }
    }

    /// <summary>Retries an action for about a second, if it fails because somebody has the file open.</summary>
    /// <exception cref="IOException">Somebody still had it open; or something else failed, which is not retried.</exception>
    /// <exception cref="UnauthorizedAccessException">Windows reports an open file in this way too; or access is denied permanently.</exception>
    internal static void RetryWhileHeld(Action action)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                action();
                return;
            }
            catch (Exception exception) when (attempt < MostAttempts
                && (exception is UnauthorizedAccessException || (exception is IOException held && DiskFault.IsHeldElsewhere(held))))
            {
                // No event tells when another process closes a file.
                Thread.Sleep(PauseMilliseconds);
            }
        }
    }

    /// <summary>Deletes a file and makes the deletion durable. A missing file is no error.</summary>
    public static void Delete(string path)
    {
        using var folder = HeldFolder.OpenParent(path);
        folder.Delete(Path.GetFileName(path));
        folder.Flush();
    }

    /// <summary>Deletes a file whose deletion need not be durable: if a crash brings it back, it is deleted again later.</summary>
    public static void Discard(string path)
    {
        using var folder = HeldFolder.OpenParent(path);
        folder.Delete(Path.GetFileName(path));
    }

    /// <summary>Makes a folder and the folders above it, if they are missing, and makes their names durable.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="isPrivate">Whether only the owner may use the new folders; otherwise they have the usual mode.</param>
    public static void CreateDirectory(string path, bool isPrivate = false)
    {
        if (Directory.Exists(path) || Path.GetDirectoryName(path) is not { Length: > 0 } above)
        {
            return;
        }

        CreateDirectory(above, isPrivate);
        using var parent = HeldFolder.Open(above);
        parent.EnsureFolder(Path.GetFileName(path), isPrivate);
        parent.Flush();
    }

    /// <summary>Makes the names in a folder durable. On Windows the file system's journal does that.</summary>
    /// <exception cref="IOException">The operating system failed.</exception>
    public static void FlushDirectory(string path)
    {
        using var folder = HeldFolder.Open(path);
        folder.Flush();
    }
}
