using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Writing files so that a crash leaves the old state or the new one: temporary name, flush, rename, flush the folder.</summary>
internal static partial class DurableFile
{
    private const int OpenReadOnly = 0;
    private const int MostAttempts = 100;
    private const int PauseMilliseconds = 10;

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
        RequireFile(path);
        var temporary = path + ".partial";

        // A rest of a killed run, or a link that somebody put there: deleted, never written through.
        File.Delete(temporary);
        using (var handle = CreatePrivate(temporary, FileShare.None, like ?? path))
        {
            RandomAccess.Write(handle, content, 0);
            RandomAccess.FlushToDisk(handle);
        }

        Rename(temporary, path);
    }

    /// <summary>
    /// Makes a new file that is for its owner alone: what is in a database, and what is told of it, is nobody else's business.
    /// </summary>
    /// <param name="path">The file to make.</param>
    /// <param name="share">What others may do with it while it is open.</param>
    /// <param name="like">A file that it will replace, whose mode it gets: who opened that to others meant to. Null, or a file that is not there, for none.</param>
    public static SafeFileHandle CreatePrivate(string path, FileShare share, string? like = null)
    {
        var handle = RegularFile.Open(path, FileMode.CreateNew, FileAccess.ReadWrite, share);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(handle, like is not null && new FileInfo(like) is { Exists: true, LinkTarget: null } former ? former.UnixFileMode : OwnersAlone);
        }

        return handle;
    }

    /// <summary>Renames, over whatever file is there unless told otherwise, and makes the rename last.</summary>
    /// <exception cref="IOException">It failed; or what is there is no file: a rename would put one in the place of /dev/null for good.</exception>
    public static void Rename(string from, string to, bool overwrite = true)
    {
        RequireFile(to);
        if (OperatingSystem.IsWindows())
        {
            // There a file cannot be replaced while anybody reads it, not even one who lets it be deleted. The readers of
            // a sidecar are done within milliseconds: another listing, a virus scanner, an indexer.
            RetryWhileHeld(() => File.Move(from, to, overwrite));
        }
        else
        {
            File.Move(from, to, overwrite);
        }

        FlushDirectory(Path.GetDirectoryName(to)!);
        if (Path.GetDirectoryName(from) is { } source && source != Path.GetDirectoryName(to))
        {
            FlushDirectory(source);
        }
    }

    private static void RequireFile(string path)
    {
        if (new FileInfo(path) is { Exists: true, LinkTarget: null } && !FileKind.IsRegularItself(path))
        {
            throw new IOException($"'{path}' is a device, a pipe or a socket, and no file.");
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
                Thread.Sleep(PauseMilliseconds);
            }
        }
    }

    /// <summary>Deletes a file and makes the deletion last. A file that is not there is no error.</summary>
    public static void Delete(string path)
    {
        File.Delete(path);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes a folder, if it is not there, with the folders above it, and makes their names last.</summary>
    public static void CreateDirectory(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        if (Path.GetDirectoryName(path) is { Length: > 0 } parent)
        {
            CreateDirectory(parent);
        }

        Directory.CreateDirectory(path);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Makes the names in a folder last. On Windows the file system's journal does that.</summary>
    /// <exception cref="IOException">The operating system failed.</exception>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(path, OpenReadOnly);
        if (descriptor < 0)
        {
            throw Failure(path);
        }

        try
        {
            // Some network file systems cannot flush a folder and say so with EINVAL or ENOTSUP; they order names themselves.
            if (Fsync(descriptor) != 0 && Marshal.GetLastPInvokeError() is not (22 or 45 or 95))
            {
                throw Failure(path);
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static IOException Failure(string path)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"The folder '{path}' cannot be flushed to disk: {error.Message}.", error);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
