using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>Which file something is, whatever it is called: asked of the operating system without opening it.</summary>
/// <param name="Device">The file system that it lies on.</param>
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

    /// <summary>What a path names, links followed; null if there is nothing, and on Windows, where this is not asked.</summary>
    public static FileIdentity? Of(string path) => FileStatus.Of(path)?.Identity;

    /// <summary>What a path names itself, a link being a link.</summary>
    public static FileIdentity? OfItself(string path) => FileStatus.OfItself(path)?.Identity;

    /// <summary>What a descriptor of this process is open on; null if it is not open.</summary>
    public static FileIdentity? OfDescriptor(int descriptor) => FileStatus.Of(descriptor)?.Identity;

    /// <summary>What an open file is; null on Windows.</summary>
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

    /// <summary>Whether a file is mounted by itself, so that nothing can be renamed to or from its name. A missing file is no mount.</summary>
    /// <remarks>Linux tells since 5.8; no other system mounts a single file.</remarks>
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
