using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Identifies a file independently of its names. The operating system tells it without opening the file.</summary>
/// <param name="Device">The file system that it is on.</param>
/// <param name="Inode">Its number there.</param>
internal readonly partial record struct FileIdentity(long Device, long Inode)
{
    private const int StatusBytes = 256;

    // https://man7.org/linux/man-pages/man2/statx.2.html: one layout on all architectures.
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const int LinkCountWanted = 0x4;
    private const int StatxAttributes = 8;
    private const int StatxLinkCount = 16;
    private const int StatxAttributesKnown = 56;
    private const ulong IsMountRoot = 0x2000;

    private const int MacLinkCount = 6;

    /// <summary>Identifies the target of a path, links followed; null if there is nothing, and always null on Windows.</summary>
    public static FileIdentity? Of(string path) => FileStatus.Of(path)?.Identity;

    /// <summary>Identifies the name itself, even if it is a link.</summary>
    public static FileIdentity? OfItself(string path) => FileStatus.OfItself(path)?.Identity;

    /// <summary>Identifies the file that a descriptor of this process has open; null if it is not open.</summary>
    public static FileIdentity? OfDescriptor(int descriptor) => FileStatus.Of(descriptor)?.Identity;

    /// <summary>Identifies an open file; null on Windows.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static FileIdentity? Of(SafeFileHandle file) => OperatingSystem.IsWindows() ? null : FileStatus.Of(file).Identity;

    /// <summary>The number of names (hard links) of a file on its file system; 1 if unknown.</summary>
    /// <exception cref="IOException">The operating system failed.</exception>
    public static long CountNames(string path)
    {
        Span<byte> status = stackalloc byte[StatusBytes];
        if (OperatingSystem.IsLinux())
        {
            Query(path, status);
            return BitConverter.ToUInt32(status[StatxLinkCount..]);
        }

        if (!OperatingSystem.IsMacOS())
        {
            return 1;
        }

        ref var first = ref MemoryMarshal.GetReference(status);
        var result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? MacStatX64(path, ref first) : MacStat(path, ref first);
        return result == 0 ? BitConverter.ToUInt16(status[MacLinkCount..]) : throw Failure(path);
    }

    /// <summary>Whether the file itself is a mount point, so that its name cannot be renamed or replaced. A missing file is none.</summary>
    /// <remarks>Linux reports this since 5.8; no other system can mount a single file.</remarks>
    /// <exception cref="IOException">The operating system failed.</exception>
    public static bool IsMountPoint(string path)
    {
        if (!OperatingSystem.IsLinux() || OfItself(path) is null)
        {
            return false;
        }

        Span<byte> status = stackalloc byte[StatusBytes];
        Query(path, status);
        return (BitConverter.ToUInt64(status[StatxAttributes..]) & BitConverter.ToUInt64(status[StatxAttributesKnown..]) & IsMountRoot) != 0;
    }

    private static void Query(string path, Span<byte> status)
    {
        if (Statx(CurrentFolder, path, NoFollow, LinkCountWanted, ref MemoryMarshal.GetReference(status)) != 0)
        {
            throw Failure(path);
        }
    }

    private static IOException Failure(string path)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"Cannot read the status of '{path}': {error.Message}.", error);
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MacStat(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MacStatX64(string path, ref byte status);
}
