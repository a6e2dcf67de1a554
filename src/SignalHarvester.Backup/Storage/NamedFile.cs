using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Reads small files that a person named, whole. Links are followed, because whoever names a file has chosen it. One overload
/// also reads a pipe, such as a shell puts in the place of <c>&lt;(program)</c>. It never waits for one without an end.
/// </summary>
internal static class NamedFile
{
    /// <summary>Whoever names a pipe may start its writer a moment later. If the writer was forgotten, it never comes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Reads a file of bytes.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="most">The most bytes that it may have.</param>
    /// <exception cref="FileTooLargeException">It is larger than that.</exception>
    /// <exception cref="NotAFileException">It is a pipe, a device or a socket.</exception>
    /// <exception cref="IOException">It is not there, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied, or it is a folder.</exception>
    public static byte[] ReadAllBytes(string path, int most)
    {
        using var file = Open(path);
        return OperatingSystem.IsWindows() || FileStatus.Of(file).IsRegular ? ReadToEnd(file, path, most) : throw new NotAFileException(path);
    }

    /// <summary>Reads a file, or everything that a pipe or device delivers.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="most">The most bytes that it may have.</param>
    /// <param name="cancellation">Ends the wait for the writer of a pipe. If it is already cancelled, only regular files are read.</param>
    /// <exception cref="SilentPipeException">It is a pipe, and it delivered nothing.</exception>
    /// <exception cref="OperationCanceledException">The wait was ended.</exception>
    /// <exception cref="FileTooLargeException">It is larger than that.</exception>
    /// <exception cref="IOException">It is not there, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied, or it is a folder.</exception>
    public static byte[] ReadAllBytes(string path, int most, CancellationToken cancellation)
    {
        using var file = Open(path);
        return OperatingSystem.IsWindows() || FileStatus.Of(file).IsRegular ? ReadToEnd(file, path, most) : ReadPipe(file, path, most, cancellation);
    }

    private static SafeFileHandle Open(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }

        var file = UnixCalls.OpenNamed(path);
        if (FileStatus.Of(file).IsFolder)
        {
            file.Dispose();
            throw new UnauthorizedAccessException($"'{path}' is a folder.");
        }

        return file;
    }

    /// <summary>Reads to the end and not to the length: files that the kernel generates report none.</summary>
    private static byte[] ReadToEnd(SafeFileHandle file, string path, int most)
    {
        using var text = new MemoryStream();
        var piece = new byte[16 << 10];
        while (RandomAccess.Read(file, piece, text.Length) is var count and > 0)
        {
            Append(text, piece.AsSpan(0, count), path, most);
        }

        return text.ToArray();
    }

    private static byte[] ReadPipe(SafeFileHandle file, string path, int most, CancellationToken cancellation)
    {
        using var text = new MemoryStream();
        var piece = new byte[16 << 10];
        var isPipe = FileStatus.Of(file).IsPipe;
        var hasWriter = false;
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (UnixCalls.TryRead(file, piece, path) is not { } count)
            {
                hasWriter = true;
            }
            else if (count > 0)
            {
                hasWriter = true;
                Append(text, piece.AsSpan(0, count), path, most);
                continue;
            }
            else if (!isPipe || text.Length > 0)
            {
                return text.ToArray();
            }
            else if (hasWriter || TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                // A program that failed must not look like an empty file.
                throw new SilentPipeException(path, hasWriter ? "its writer ended without sending anything" : string.Create(
                    CultureInfo.InvariantCulture, $"nobody wrote to it for {Patience.TotalSeconds} seconds"));
            }

            _ = cancellation.WaitHandle.WaitOne(Pause);
        }
    }

    private static void Append(MemoryStream text, ReadOnlySpan<byte> piece, string path, int most)
    {
        if (text.Length + piece.Length > most)
        {
            throw new FileTooLargeException(path);
        }

        text.Write(piece);
    }
}
