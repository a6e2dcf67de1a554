using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Opens files of ours in folders that others may write to. It inspects the open file, never the path beforehand, to see
/// what somebody may have put in its place. It follows no link, waits for no pipe, and accepts only files of bytes.
/// </summary>
internal static class RegularFile
{
    /// <summary>Opens a file, as <see cref="File.OpenHandle(string, FileMode, FileAccess, FileShare, FileOptions, long)"/> does.</summary>
    /// <param name="path">Its path. Links on the way are followed as in <see cref="HeldFolder.Open"/>.</param>
    /// <param name="mode">Open, OpenOrCreate or CreateNew. On Unix, only the owner may use a new file.</param>
    /// <param name="access">Reading, writing or both.</param>
    /// <param name="share">What others may do meanwhile: on Unix, None takes an exclusive lock, everything else a shared one.</param>
    /// <param name="options">None or SequentialScan.</param>
    /// <exception cref="NotAFileException">It is a link, a pipe, a device or a folder.</exception>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    /// <exception cref="IOException">Another process holds it, or the system failed.</exception>
    public static SafeFileHandle Open(string path, FileMode mode, FileAccess access, FileShare share, FileOptions options = FileOptions.None)
    {
        if (OperatingSystem.IsWindows())
        {
            if (new FileInfo(path) is { LinkTarget: not null })
            {
                throw new NotAFileException(path);
            }

            return File.OpenHandle(path, mode, access, share, options);
        }

        using var folder = HeldFolder.OpenParent(path);
        var handle = folder.OpenFile(Path.GetFileName(path), mode, access, share);
        if (options.HasFlag(FileOptions.SequentialScan))
        {
            FileAdvice.Sequential(handle);
        }

        return handle;
    }

    /// <summary>Closes a file that was opened exclusively, so that it can be opened again at once.</summary>
    public static void Release(SafeFileHandle file)
    {
        if (!OperatingSystem.IsWindows() && !file.IsClosed)
        {
            UnixCalls.Unlock(file);
        }

        file.Dispose();
    }

    /// <summary>Opens a file in an open folder of Unix.</summary>
    internal static SafeFileHandle OpenAt(SafeFileHandle folder, string name, string path, FileMode mode, FileAccess access, FileShare share)
    {
        var handle = UnixCalls.OpenFile(folder, name, path, mode, access);
        try
        {
            _ = Inspect(handle, path);
            UnixCalls.Lock(handle, exclusively: share == FileShare.None, path);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads a small file in an open folder of Unix whole, as <see cref="HeldFolder.ReadAllBytes"/> does.</summary>
    internal static int ReadAllBytesAt(SafeFileHandle folder, string name, string path, int most, ref byte[] bytes)
    {
        using var handle = UnixCalls.OpenFile(folder, name, path, FileMode.Open, FileAccess.Read);
        var length = Inspect(handle, path).Length;
        if (length > most)
        {
            throw new FileTooLargeException(path);
        }

        if (bytes.Length < length)
        {
            bytes = new byte[length];
        }

        var done = 0;
        while (done < length && UnixCalls.TryRead(handle, bytes.AsSpan(done, (int)length - done), path) is { } read and > 0)
        {
            done += read;
        }

        return done;
    }

    private static FileStatus Inspect(SafeFileHandle handle, string path)
    {
        var status = FileStatus.Of(handle);
        return status.IsRegular ? status
            : status.IsFolder ? throw new UnauthorizedAccessException($"'{path}' is a folder.")
            : throw new NotAFileException(path);
    }

    /// <summary>Reads a small file whole.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="most">The most bytes that are read.</param>
    /// <exception cref="FileTooLargeException">It is larger than that.</exception>
    /// <exception cref="IOException">As <see cref="Open"/>.</exception>
    /// <exception cref="UnauthorizedAccessException">As <see cref="Open"/>.</exception>
    public static byte[] ReadAllBytes(string path, int most)
    {
        using var handle = Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return ReadAllBytes(handle, path, most);
    }

    /// <summary>Reads a small open file whole.</summary>
    internal static byte[] ReadAllBytes(SafeFileHandle handle, string path, int most)
    {
        var length = RandomAccess.GetLength(handle);
        if (length > most)
        {
            throw new FileTooLargeException(path);
        }

        var bytes = new byte[length];
        return bytes[..handle.ReadFully(bytes, 0)];
    }
}
