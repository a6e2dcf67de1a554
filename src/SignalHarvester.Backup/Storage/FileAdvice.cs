using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// Tells Linux how a file will be read (posix_fadvise). It is only advice: without it, or if it is ignored, reading is
/// slower and nothing else.
/// </summary>
internal static partial class FileAdvice
{
    private const int ReadInOrder = 2;
    private const int DontNeed = 4;

    /// <summary>The file will be read from its beginning to its end.</summary>
    public static void Sequential(SafeFileHandle file) => Advise(file, 0, 0, ReadInOrder);

    /// <summary>The bytes will not be needed again, or their next reading must come from the disk.</summary>
    public static void Forget(SafeFileHandle file, long offset, long length) => Advise(file, offset, length, DontNeed);

    private static void Advise(SafeFileHandle file, long offset, long length, int advice)
    {
        if (OperatingSystem.IsLinux() && Environment.Is64BitProcess)
        {
            _ = PosixFadvise(file, offset, length, advice);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int PosixFadvise(SafeFileHandle file, long offset, long length, int advice);
}
