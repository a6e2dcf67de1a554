using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>What kind of thing a path names, asked without opening it: opening a pipe would wait for ever.</summary>
internal static partial class FileKind
{
    private const int ModeOffset = sizeof(int);
    private const int UserOffset = ModeOffset + sizeof(int);
    private const int GroupOffset = UserOffset + sizeof(uint);
    private const int LengthOffset = GroupOffset + sizeof(uint);
    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int Folder = 0x4000;
    private const int Pipe = 0x1000;
    private const int Link = 0xA000;
    private const int Socket = 0xC000;

    /// <summary>Whether the path names a file that holds bytes, rather than a device, pipe or socket.</summary>
    /// <remarks>
    /// .NET does not say (attributes are Normal for all of them). Its own portable stat, which turns each system's
    /// struct into one that begins with flags, mode, user and group, is the smallest way to ask on Linux and macOS alike.
    /// </remarks>
    public static bool IsRegular(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return (File.GetAttributes(path) & (FileAttributes.Device | FileAttributes.Directory)) == 0;
        }

        Span<byte> status = stackalloc byte[256];
        return Stat(path, ref MemoryMarshal.GetReference(status)) == 0
            && (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) == RegularFile;
    }

    /// <summary>Whether the path, its links followed, names a device, a pipe or a socket. One that names nothing does not.</summary>
    public static bool IsSpecial(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return File.Exists(path) && !IsRegular(path);
        }

        Span<byte> status = stackalloc byte[256];
        return Stat(path, ref MemoryMarshal.GetReference(status)) == 0
            && (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) is not (RegularFile or Folder);
    }

    /// <summary>Whether the path names a file that holds bytes, and no link to one. A path that names nothing is none either.</summary>
    public static bool IsRegularItself(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return new FileInfo(path) is { Exists: true } info && (info.Attributes & (FileAttributes.Device | FileAttributes.ReparsePoint)) == 0;
        }

        Span<byte> status = stackalloc byte[256];
        return LStat(path, ref MemoryMarshal.GetReference(status)) == 0
            && (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) == RegularFile;
    }

    /// <summary>What has a name that a file of bytes should have, in words; null where such a file has it, or nothing.</summary>
    public static string? NameOfStranger(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Directory.Exists(path) ? "a folder" : null;
        }

        Span<byte> status = stackalloc byte[256];
        return LStat(path, ref MemoryMarshal.GetReference(status)) != 0 ? null : (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) switch
        {
            RegularFile => null,
            Folder => "a folder",
            Pipe => "a named pipe",
            Socket => "a socket",
            Link => "a link",
            _ => "a device",
        };
    }

    /// <summary>The user and the group that a file belongs to on Unix; null where it is not there.</summary>
    public static (uint User, uint Group)? OwnerOf(string path)
    {
        Span<byte> status = stackalloc byte[256];
        return Stat(path, ref MemoryMarshal.GetReference(status)) == 0
            ? (BitConverter.ToUInt32(status[UserOffset..]), BitConverter.ToUInt32(status[GroupOffset..]))
            : null;
    }

    /// <summary>The user and the group that what a path names belongs to on Unix, a link being a link; null where nothing is there.</summary>
    public static (uint User, uint Group)? OwnerOfItself(string path)
    {
        Span<byte> status = stackalloc byte[256];
        return LStat(path, ref MemoryMarshal.GetReference(status)) == 0
            ? (BitConverter.ToUInt32(status[UserOffset..]), BitConverter.ToUInt32(status[GroupOffset..]))
            : null;
    }

    /// <summary>The user, the group and the mode of a file on Unix, and of no link to one; null where there is none.</summary>
    public static (uint User, uint Group, UnixFileMode Mode)? AccessOf(string path)
    {
        Span<byte> status = stackalloc byte[256];
        return LStat(path, ref MemoryMarshal.GetReference(status)) == 0 && BitConverter.ToInt32(status[ModeOffset..]) is var mode && (mode & TypeMask) == RegularFile
            ? (BitConverter.ToUInt32(status[UserOffset..]), BitConverter.ToUInt32(status[GroupOffset..]), (UnixFileMode)(mode & ~TypeMask))
            : null;
    }

    /// <summary>Whether an open file of Unix is one that holds bytes.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static bool IsRegular(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[256];
        Look(file, status);
        return (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) == RegularFile;
    }

    /// <summary>Whether an open file of Unix is a pipe, with or without a name.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static bool IsPipe(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[256];
        Look(file, status);
        return (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) == Pipe;
    }

    /// <summary>Whether an open file of Unix is a folder.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static bool IsFolder(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[256];
        Look(file, status);
        return (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) == Folder;
    }

    /// <summary>Whether what was opened on Unix is a link itself.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static bool IsLink(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[256];
        Look(file, status);
        return (BitConverter.ToInt32(status[ModeOffset..]) & TypeMask) == Link;
    }

    /// <summary>The user and the group that an open file or folder of Unix belongs to.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static (uint User, uint Group) OwnerOf(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[256];
        Look(file, status);
        return (BitConverter.ToUInt32(status[UserOffset..]), BitConverter.ToUInt32(status[GroupOffset..]));
    }

    /// <summary>The length of an open file of Unix; null where the descriptor is none.</summary>
    public static long? LengthOf(int descriptor)
    {
        Span<byte> status = stackalloc byte[256];
        return FStat(descriptor, ref MemoryMarshal.GetReference(status)) == 0 ? BitConverter.ToInt64(status[LengthOffset..]) : null;
    }

    private static void Look(SafeFileHandle file, Span<byte> status)
    {
        if (FStat(file, ref MemoryMarshal.GetReference(status)) != 0)
        {
            throw new IOException($"An open file tells nothing of itself: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
        }
    }

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat", SetLastError = true)]
    private static partial int FStat(SafeFileHandle file, ref byte status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat")]
    private static partial int FStat(nint descriptor, ref byte status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_LStat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, ref byte status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, ref byte status);
}
