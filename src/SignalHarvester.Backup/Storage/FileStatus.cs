using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// The status of a file of any kind on Unix, without opening it. It comes from .NET's own portable stat, which converts each
/// system's struct into one form: the simplest way that works on both Linux and macOS. There is none on Windows.
/// </summary>
internal readonly partial struct FileStatus
{
    // The places of the fields in that struct (SystemNative_FileStatus, src/native/libs/System.Native/pal_io.h of dotnet/runtime).
    private const int ModeOffset = 4;
    private const int UserOffset = 8;
    private const int GroupOffset = 12;
    private const int LengthOffset = 16;
    private const int WrittenOffset = 40;
    private const int WrittenNanosecondsOffset = 48;
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
        Written = DateTime.UnixEpoch.Ticks
            + (BitConverter.ToInt64(status[WrittenOffset..]) * TimeSpan.TicksPerSecond)
            + (BitConverter.ToInt64(status[WrittenNanosecondsOffset..]) / TimeSpan.NanosecondsPerTick);
        Identity = new FileIdentity(BitConverter.ToInt64(status[DeviceOffset..]), BitConverter.ToInt64(status[InodeOffset..]));
    }

    /// <summary>Whether it is a file that holds bytes: no folder, link, device, pipe or socket.</summary>
    public bool IsRegular => Type == RegularType;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => Type == FolderType;

    /// <summary>Whether it is a pipe, with or without a name.</summary>
    public bool IsPipe => Type == PipeType;

    /// <summary>Whether it is a link.</summary>
    public bool IsLink => Type == LinkType;

    /// <summary>The user who owns it.</summary>
    public uint User { get; }

    /// <summary>The group that owns it.</summary>
    public uint Group { get; }

    /// <summary>Its permissions.</summary>
    public UnixFileMode Mode => (UnixFileMode)(mode & ~TypeMask);

    /// <summary>Its length in bytes.</summary>
    public long Length { get; }

    /// <summary>When it was last written to, in ticks of 100 ns, UTC.</summary>
    public long Written { get; }

    /// <summary>Its identity.</summary>
    public FileIdentity Identity { get; }

    /// <summary>Its kind, in words.</summary>
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

    /// <summary>Returns the status of a path's target, links followed; null if there is nothing.</summary>
    public static FileStatus? Of(string path)
    {
        Span<byte> status = stackalloc byte[Bytes];
        return !OperatingSystem.IsWindows() && Stat(path, ref MemoryMarshal.GetReference(status)) == 0 ? new FileStatus(status) : null;
    }

    /// <summary>Returns the status of the name itself, even if it is a link; null if there is nothing.</summary>
    public static FileStatus? OfItself(string path)
    {
        Span<byte> status = stackalloc byte[Bytes];
        return !OperatingSystem.IsWindows() && LStat(path, ref MemoryMarshal.GetReference(status)) == 0 ? new FileStatus(status) : null;
    }

    /// <summary>Returns the status of what a descriptor of this process has open; null if it is not open.</summary>
    public static FileStatus? Of(int descriptor)
    {
        Span<byte> status = stackalloc byte[Bytes];
        return !OperatingSystem.IsWindows() && FStat(descriptor, ref MemoryMarshal.GetReference(status)) == 0 ? new FileStatus(status) : null;
    }

    /// <summary>Returns the status of an open file.</summary>
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
