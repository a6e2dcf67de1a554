using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Writing files so that a crash leaves the old state or the new one: temporary name, flush, rename, flush the folder.</summary>
internal static class DurableFile
{
    private const int MostAttempts = 100;
    private const int PauseMilliseconds = 10;

    // What is taken of a mode that somebody else may have given: never a set-user-id bit, nor that everybody may write.
    private const UnixFileMode MostShared = OwnersAlone | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead;

    /// <summary>The mode of a file that others may neither read nor write.</summary>
    public const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Lets a file that is held for writing be renamed and deleted, and nobody else open it.</summary>
    /// <remarks>On Unix, .NET takes an exclusive flock for None alone; on Windows, None would forbid the rename.</remarks>
    public static FileShare Exclusive => OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;

    /// <summary>Writes a small file whole: nobody ever sees half of it.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="content">What it is to hold.</param>
    /// <param name="like">The file whose mode it gets, as <see cref="CreatePrivate"/> does it; null for the one that it replaces.</param>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> content, string? like = null)
    {
        using var folder = HeldFolder.OpenParent(path);
        WriteAllBytes(folder, Path.GetFileName(path), content, OperatingSystem.IsWindows() ? null : ModeLike(like ?? path));
    }

    /// <summary>Writes a small file whole, in an open folder: its path is not looked at again.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The file to make or replace in it.</param>
    /// <param name="content">What it is to hold.</param>
    /// <param name="mode">The mode that it gets before it has its name; null for that of the one that it replaces.</param>
    public static void WriteAllBytes(HeldFolder folder, string name, ReadOnlySpan<byte> content, UnixFileMode? mode = null)
    {
        RequireFile(folder.FilePath(name));
        var temporary = name + ".partial";

        // A rest of a killed run, or a link that somebody put there: deleted, never written through.
        folder.Delete(temporary);
        var handle = folder.OpenFile(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(handle, mode ?? ModeLike(folder.FilePath(name)));
            }

            RandomAccess.Write(handle, content, 0);
            RandomAccess.FlushToDisk(handle);
        }
        finally
        {
            RegularFile.Release(handle);
        }

        Rename(folder, temporary, folder, name, overwrite: true);
    }

    /// <summary>Writes a small file that is for its owner alone, in an open folder, if the name is free.</summary>
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

    /// <summary>
    /// Makes a new file that only its owner can read: a database's content and its description are private.
    /// </summary>
    /// <param name="path">The file to make.</param>
    /// <param name="share">What others may do with it while it is open.</param>
    /// <param name="like">A file that it will replace, whose mode it gets: who opened
    /// that to others meant to. Null, or a file that is not there, for none.</param>
    public static SafeFileHandle CreatePrivate(string path, FileShare share, string? like = null)
    {
        // A new name is no link; only the way to it can be one, where others may have put it. .NET's own handles also give
        // their lock back when they are closed.
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
    /// <exception cref="IOException">It failed; or the existing name is not a file: a rename would replace /dev/null permanently.</exception>
    public static void Rename(string from, string to, bool overwrite = true)
    {
        using var target = HeldFolder.OpenParent(to);
        if (Path.GetDirectoryName(from) == Path.GetDirectoryName(to))
        {
            // Opened a second time, the path may lead elsewhere, and what others put there would be renamed.
            Rename(target, Path.GetFileName(from), target, Path.GetFileName(to), overwrite);
            return;
        }

        using var source = HeldFolder.OpenParent(from);
        Rename(source, Path.GetFileName(from), target, Path.GetFileName(to), overwrite);
        source.Flush();
    }

    /// <summary>Renames a file of an open folder into another, or within it, and makes its new name last.</summary>
    /// <exception cref="IOException">As there.</exception>
    public static void Rename(HeldFolder source, string name, HeldFolder target, string newName, bool overwrite)
    {
        RequireFile(target.FilePath(newName));
        void Move() => source.Rename(name, target, newName, overwrite);
        if (OperatingSystem.IsWindows())
        {
            // There a file cannot be replaced while anybody reads it, not even one who lets it be deleted. The readers of
            // a sidecar are done within milliseconds: another listing, a virus scanner, an indexer.
            RetryWhileHeld(Move);
        }
        else
        {
            Move();
        }

        target.Flush();
    }

    [UnsupportedOSPlatform("windows")]
    private static UnixFileMode ModeLike(string path) => FileStatus.OfItself(path) is { IsRegular: true } former ? former.Mode & MostShared : OwnersAlone;

    private static void RequireFile(string path)
    {
        if (new FileInfo(path) is { Exists: true, LinkTarget: null } && !FileKind.IsRegularItself(path))
        {
            throw new IOException($"'{path}' is a device, a pipe or a socket, not a file.");
        }
    }

    /// <summary>Does again what fails because somebody has the file open, for about a second.</summary>
    /// <exception cref="IOException">Somebody still had it open; or something else failed, which is not tried again.</exception>
    /// <exception cref="UnauthorizedAccessException">The same, as Windows says it too; or access is denied for good.</exception>
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
                // Nothing tells when another process closes a file.
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

    /// <summary>Deletes a file that counts for nothing: should a crash bring it back, it is deleted another time.</summary>
    public static void Discard(string path)
    {
        using var folder = HeldFolder.OpenParent(path);
        folder.Delete(Path.GetFileName(path));
    }

    /// <summary>Makes a folder, if it is not there, with the folders above it, and makes their names last.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="isPrivate">Whether what is made is for its owner alone; else it has the usual mode.</param>
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

    /// <summary>Makes the names in a folder last. On Windows the file system's journal does that.</summary>
    /// <exception cref="IOException">The operating system failed.</exception>
    public static void FlushDirectory(string path)
    {
        using var folder = HeldFolder.Open(path);
        folder.Flush();
    }
}
