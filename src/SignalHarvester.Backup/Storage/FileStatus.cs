using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// The status of a file of any kind on Unix, without opening it. .NET's own portable stat, which turns each system's struct
/// into one, is the smallest way to ask on Linux and macOS alike; on Windows, nothing is asked.
/// </summary>
internal readonly partial struct FileStatus
{
    // Where that struct has them (SystemNative_FileStatus, src/native/libs/System.Native/pal_io.h of dotnet/runtime).
    private const int ModeOffset = 4;
    private const int UserOffset = 8;
    private const int GroupOffset = 12;
    private const int LengthOffset = 16;
    private const int DeviceOffset = 88;
    private const int InodeOffset = 104;
    private const int Bytes = 256;

    private const int TypeMask = 0xF000;
    private const int PipeType = 0x1000;
    private const int FolderType = 0x4000;
    private const int RegularType = 0x8000;
    private const int LinkType = 0xA000;
    private const int SocketType = 0xC000;

    private readonly int mode;

    private FileStatus(ReadOnlySpan<byte> status)
    {
        mode = BitConverter.ToInt32(status[ModeOffset..]);
        User = BitConverter.ToUInt32(status[UserOffset..]);
        Group = BitConverter.ToUInt32(status[GroupOffset..]);
        Length = BitConverter.ToInt64(status[LengthOffset..]);
        Identity = new FileIdentity(BitConverter.ToInt64(status[DeviceOffset..]), BitConverter.ToInt64(status[InodeOffset..]));
    }

    /// <summary>Whether it holds bytes, rather than being a folder, a link, a device, a pipe or a socket.</summary>
    public bool IsRegular => Type == RegularType;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => Type == FolderType;

    /// <summary>Whether it is a pipe, with or without a name.</summary>
    public bool IsPipe => Type == PipeType;

    /// <summary>Whether it is a link itself.</summary>
    public bool IsLink => Type == LinkType;

    /// <summary>The user whom it belongs to.</summary>
    public uint User { get; }

    /// <summary>The group that it belongs to.</summary>
    public uint Group { get; }

    /// <summary>Who may do what with it.</summary>
    public UnixFileMode Mode => (UnixFileMode)(mode & ~TypeMask);

    /// <summary>Its length in bytes.</summary>
    public long Length { get; }

    /// <summary>Which file it is.</summary>
    public FileIdentity Identity { get; }

    /// <summary>What it is, in words.</summary>
    public string Kind => Type switch
    {
        RegularType => "a file",
        FolderType => "a folder",
        PipeType => "a named pipe",
        SocketType => "a socket",
        LinkType => "a link",
        _ => "a device",
    };

    private int Type => mode & TypeMask;

    /// <summary>What a path names, links followed; null if there is nothing.</summary>
    public static FileStatus? Of(string path)
    {
        Span<byte> status = stackalloc byte[Bytes];
        return !OperatingSystem.IsWindows() && Stat(path, ref MemoryMarshal.GetReference(status)) == 0 ? new FileStatus(status) : null;
    }

    /// <summary>What a path names itself, a link being a link; null if there is nothing.</summary>
    public static FileStatus? OfItself(string path)
    {
        Span<byte> status = stackalloc byte[Bytes];
        return !OperatingSystem.IsWindows() && LStat(path, ref MemoryMarshal.GetReference(status)) == 0 ? new FileStatus(status) : null;
    }

    /// <summary>What a descriptor of this process is open on; null if it is not open.</summary>
    public static FileStatus? Of(int descriptor)
    {
        Span<byte> status = stackalloc byte[Bytes];
        return !OperatingSystem.IsWindows() && FStat(descriptor, ref MemoryMarshal.GetReference(status)) == 0 ? new FileStatus(status) : null;
    }

    /// <summary>What is open.</summary>
    /// <exception cref="IOException">The system does not say.</exception>
    public static FileStatus Of(SafeFileHandle file)
    {
        Span<byte> status = stackalloc byte[Bytes];
        return FStat(file, ref MemoryMarshal.GetReference(status)) == 0
            ? new FileStatus(status)
            : throw new IOException($"Cannot read the status of an open file: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
    }

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, ref byte status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_LStat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, ref byte status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat")]
    private static partial int FStat(nint descriptor, ref byte status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat", SetLastError = true)]
    private static partial int FStat(SafeFileHandle file, ref byte status);
}
