using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// The calls of Linux and macOS that name a file by an open folder and a name in it, so that nobody can put another folder
/// in between. .NET has none of them (https://pubs.opengroup.org/onlinepubs/9799919799/functions/open.html).
/// </summary>
internal static partial class UnixCalls
{
    /// <summary>There is no such name.</summary>
    public const int NoEntry = 2;

    /// <summary>The name is there already.</summary>
    public const int IsThere = 17;

    private const int NotDirectory = 20;
    private const int IsDirectory = 21;
    private const uint PrivateFolderMode = 0x1C0;
    private const uint SharedFolderMode = 0x1FF;

    private const short WriteLock = 1;
    private const short NoLock = 2;

    private const int PermissionDenied = 1;
    private const int AccessDenied = 13;
    private const int NoDevice = 6;

    // Only its owner may use a new file that nobody else waits for: rw-------. A file that others may wait for (a lock) gets
    // what the account's mask leaves of rw-rw-rw-, so that a group can share a backup directory.
    private const uint PrivateFileMode = 0x180;
    private const uint SharedFileMode = 0x1B6;

    /// <summary>Stands for no folder: the path is used as it is.</summary>
    public static SafeFileHandle NoFolder { get; } = new(OperatingSystem.IsMacOS() ? -2 : -100, ownsHandle: false);

    private static bool IsMac => OperatingSystem.IsMacOS();

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    private static int WouldBlock => IsMac ? 35 : 11;

    private static int Loop => IsMac ? 62 : 40;

    /// <summary>The error of a folder that is not empty.</summary>
    public static int NotEmpty => IsMac ? 66 : 39;

    private static int Create => IsMac ? 0x200 : 0x40;

    private static int Exclusive => IsMac ? 0x800 : 0x80;

    private static int NonBlocking => IsMac ? 0x4 : 0x800;

    private static int NoFollow => (IsMac, IsArm) switch
    {
        (true, _) => 0x100,
        (_, true) => 0x8000,
        _ => 0x20000,
    };

    private static int Directory => (IsMac, IsArm) switch
    {
        (true, _) => 0x100000,
        (_, true) => 0x4000,
        _ => 0x10000,
    };

    private static int CloseOnExec => IsMac ? 0x1000000 : 0x80000;

    // O_PATH and O_SYMLINK. A system without O_PATH can only open what this account may read.
    private static int Itself => 0x200000 | (IsMac ? NonBlocking : NoFollow);

    private static int RemoveDirectory => IsMac ? 0x80 : 0x200;

    /// <summary>Whether a deletion failed because the name belongs to a folder. macOS says only that it is not permitted.</summary>
    public static bool IsFolderError(int error) => error == (IsMac ? PermissionDenied : IsDirectory);

    /// <summary>Opens a folder.</summary>
    /// <param name="parent">The folder that it is in, or <see cref="NoFolder"/>.</param>
    /// <param name="name">Its name there, or its path.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <param name="follow">Whether a link is followed.</param>
    /// <exception cref="IOException">It cannot be opened, or is no folder; HResult is the system's error.</exception>
    public static SafeFileHandle OpenFolder(SafeFileHandle parent, string name, string path, bool follow) =>
        Open(parent, name, path, Directory | (follow ? 0 : NoFollow), 0);

    /// <summary>Opens a file, never waiting for the other end of a pipe, and never following a link.</summary>
    /// <param name="parent">The folder that it is in, or <see cref="NoFolder"/>.</param>
    /// <param name="name">Its name there, or its path.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <param name="mode">Open, OpenOrCreate or CreateNew. Only the owner may use what CreateNew makes.</param>
    /// <param name="access">Reading, writing or both.</param>
    /// <exception cref="IOException">It cannot be opened; HResult is the system's error.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static SafeFileHandle OpenFile(SafeFileHandle parent, string name, string path, FileMode mode, FileAccess access)
    {
        var flags = NoFollow | NonBlocking | (access switch
        {
            FileAccess.Read => 0,
            FileAccess.Write => 1,
            _ => 2,
        });
        return Open(parent, name, path, flags | (mode switch
        {
            FileMode.Open => 0,
            FileMode.OpenOrCreate => Create,
            FileMode.CreateNew => Create | Exclusive,
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "The mode must open or create a file."),
        }), mode == FileMode.CreateNew ? PrivateFileMode : SharedFileMode);
    }

    /// <summary>Opens whatever has a name, even a link, to inspect it and to walk on from there, but not to read it.</summary>
    /// <exception cref="FileNotFoundException">There is no such name.</exception>
    /// <exception cref="IOException">It cannot be opened; HResult is the system's error.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static SafeFileHandle OpenItself(SafeFileHandle parent, string name, string path) => Open(parent, name, path, Itself, 0);

    /// <summary>Returns the target of a link that was opened with <see cref="OpenItself"/>.</summary>
    /// <exception cref="IOException">The system failed.</exception>
    public static unsafe string ReadLink(SafeFileHandle link, string path)
    {
        const int longest = 4096;
        var target = stackalloc byte[longest];
        var length = IsMac ? FReadLink(link, target, longest) : ReadLinkAt(link, string.Empty, target, longest);
        return length >= 0 ? Marshal.PtrToStringUTF8((nint)target, (int)length) : throw Failure(Marshal.GetLastPInvokeError(), path);
    }

    /// <summary>Opens whatever a person named, for reading. Links are followed; it does not wait for the other end of a pipe.</summary>
    /// <exception cref="NotAFileException">It is a socket.</exception>
    /// <exception cref="IOException">It cannot be opened; HResult is the system's error.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static SafeFileHandle OpenNamed(string path) => Open(NoFolder, path, path, NonBlocking, 0);

    /// <summary>Reads what a pipe or device, opened with <see cref="OpenNamed"/>, has now. .NET cannot read those through its handles.</summary>
    /// <returns>The number of bytes; 0 at the end, or if nobody has the pipe open for writing; null if somebody has, but sent nothing yet.</returns>
    /// <exception cref="IOException">The system failed.</exception>
    public static int? TryRead(SafeFileHandle file, Span<byte> bytes, string path)
    {
        var count = Read(file, ref MemoryMarshal.GetReference(bytes), bytes.Length);
        return count >= 0 ? count
            : Marshal.GetLastPInvokeError() is var error && error == WouldBlock ? null
            : throw Failure(error, path);
    }

    /// <summary>Makes a folder, either private to its owner or with the mode that the account's mask leaves.</summary>
    /// <returns>0, or the system's error.</returns>
    public static int MakeFolder(SafeFileHandle parent, string name, bool isPrivate) =>
        MkDirAt(parent, name, isPrivate ? PrivateFolderMode : SharedFolderMode) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Renames a file. It replaces any file with the new name.</summary>
    /// <returns>0, or the system's error.</returns>
    public static int Rename(SafeFileHandle from, string name, SafeFileHandle to, string newName) =>
        RenameAt(from, name, to, newName) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Makes the names in a folder durable.</summary>
    /// <exception cref="IOException">The system failed.</exception>
    public static void Flush(SafeFileHandle folder, string path)
    {
        // Some network file systems cannot flush a folder and say so with EINVAL or ENOTSUP; they order names themselves.
        if (FSync(folder) != 0 && Marshal.GetLastPInvokeError() is var error and not (22 or 45 or 95))
        {
            throw new IOException($"Cannot flush the folder '{path}' to disk: {new Win32Exception(error).Message}.", error);
        }
    }

    /// <summary>Deletes a name that does not belong to a folder.</summary>
    /// <returns>0, or the system's error, such as for a missing name or a folder's name.</returns>
    public static int Delete(SafeFileHandle folder, string name) => UnlinkAt(folder, name, 0) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Deletes an empty folder.</summary>
    /// <returns>0, or the system's error.</returns>
    public static int DeleteFolder(SafeFileHandle parent, string name) => UnlinkAt(parent, name, RemoveDirectory) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Returns the names in a folder, in the folder's own order.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="path">Its path.</param>
    /// <param name="isWanted">Whether a name is wanted, by the kind of what it names, as far as the folder says that; null for all.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static unsafe IReadOnlyList<string> Names(SafeFileHandle folder, string path, Func<string, NameKind, bool>? isWanted = null)
    {
        // A second descriptor, because the stream closes its own, and would read from where the first one was.
        var own = Open(folder, ".", path, Directory, 0);
        var stream = IsMac && !IsArm ? FDOpenDirOfIntelMac(own) : FDOpenDir(own);
        if (stream == 0)
        {
            using (own)
            {
                throw Failure(path, isFolder: true);
            }
        }

        own.SetHandleAsInvalid();
        try
        {
            var names = new List<string>();
            DirectoryEntry entry;
            int ended;
            while ((ended = ReadDir(stream, &entry)) == 0)
            {
                var name = entry.NameLength < 0 ? Marshal.PtrToStringUTF8((nint)entry.Name)! : Marshal.PtrToStringUTF8((nint)entry.Name, entry.NameLength);
                if (name is not ("." or "..") && isWanted?.Invoke(name, (NameKind)entry.Kind) != false)
                {
                    names.Add(name);
                }
            }

            return ended < 0 ? names : throw new IOException($"'{path}' cannot be read: {new Win32Exception(ended).Message}.", ended);
        }
        finally
        {
            _ = CloseDir(stream);
        }
    }

    /// <summary>Takes a file's advisory lock, exclusive or shared, as .NET does for the files that it opens.</summary>
    /// <exception cref="IOException">Another handle holds it; HResult is the system's error.</exception>
    public static void Lock(SafeFileHandle file, bool exclusively, string path)
    {
        const int shared = 1;
        const int exclusive = 2;
        const int nonBlocking = 4;
        if (FLock(file, (exclusively ? exclusive : shared) | nonBlocking) != 0
            && Marshal.GetLastPInvokeError() is var error && error == WouldBlock)
        {
            // Any other error means a file system without such locks. .NET continues without a lock there, too.
            throw new IOException($"'{path}' is being used by another process.", error);
        }
    }

    /// <summary>Releases a lock. Closing would not be enough: a process that is just being started has the file open for a moment, too.</summary>
    public static void Unlock(SafeFileHandle file)
    {
        const int unlock = 8;
        _ = FLock(file, unlock);
    }

    private static SafeFileHandle Open(SafeFileHandle parent, string name, string path, int flags, uint modeOfNew)
    {
        // The mode is passed twice: macOS on ARM expects an optional argument on the stack, all others in the fourth register.
        var handle = OpenAt(parent, name, flags | CloseOnExec, modeOfNew, 0, 0, 0, 0, modeOfNew);
        if (!handle.IsInvalid)
        {
            return handle;
        }

        using (handle)
        {
            throw Failure(path, isFolder: (flags & Directory) != 0);
        }
    }

    private static Exception Failure(string path, bool isFolder) => Failure(Marshal.GetLastPInvokeError(), path, isFolder);

    /// <summary>Returns the exception that .NET itself throws for an error of the system.</summary>
    public static Exception Failure(int error, string path, bool isFolder = false)
    {
        var message = $"'{path}': {new Win32Exception(error).Message}.";
        return error switch
        {
            NoEntry when isFolder => new DirectoryNotFoundException(message),
            NoEntry =>
                System.IO.Directory.Exists(Path.GetDirectoryName(path)) ? new FileNotFoundException(message, path) : new DirectoryNotFoundException(message),
            PermissionDenied or AccessDenied => new UnauthorizedAccessException(message),
            NoDevice => new NotAFileException(path),
            NotDirectory when new FileInfo(path).LinkTarget is not null => new NotAFileException(path),
            _ when error == Loop => new NotAFileException(path),
            _ => new IOException(message, error),
        };
    }

    /// <summary>Whether another process has a lock in a range of a file. On other systems than Linux, it always seems so.</summary>
    /// <param name="descriptor">The file; the question leaves its locks alone.</param>
    /// <param name="start">Where the range begins.</param>
    /// <param name="length">Its length.</param>
    public static bool IsLockedByOthers(int descriptor, long start, long length) =>
        !OperatingSystem.IsLinux() || LockOfOthers(descriptor, start, length) is not { Type: NoLock };

    /// <summary>Whether one other process has all of a range of a file locked against everybody. On other systems than Linux, it never seems so.</summary>
    /// <param name="descriptor">The file; the question leaves its locks alone.</param>
    /// <param name="start">Where the range begins.</param>
    /// <param name="length">Its length.</param>
    public static bool IsLockedByOne(int descriptor, long start, long length) =>
        OperatingSystem.IsLinux() && LockOfOthers(descriptor, start, length) is { Type: WriteLock } found
        && found.Start <= start && (found.Length == 0 || found.Start + found.Length >= start + length);

    /// <summary>Returns the first lock of another process in a range. The system tells of neighbouring locks of one process as one.</summary>
    private static unsafe FileLock? LockOfOthers(int descriptor, long start, long length)
    {
        const int getLock = 5;
        var asked = new FileLock { Type = WriteLock, Start = start, Length = length };
        return FControl(descriptor, getLock, &asked) == 0 ? asked : null;
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle OpenAt(
        SafeFileHandle folder, string name, int flags, uint mode, nint unused1, nint unused2, nint unused3, nint unused4, uint modeOnStack);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MkDirAt(SafeFileHandle folder, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnlinkAt(SafeFileHandle folder, string name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt(SafeFileHandle folder, string name, SafeFileHandle newFolder, string newName);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint ReadLinkAt(SafeFileHandle link, string name, byte* target, nint size);

    [LibraryImport("libc", EntryPoint = "freadlink", SetLastError = true)]
    private static unsafe partial nint FReadLink(SafeFileHandle link, byte* target, nint size);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle folder);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int FLock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static unsafe partial int FControl(int descriptor, int command, FileLock* fileLock);

    [LibraryImport("libc", EntryPoint = "fdopendir", SetLastError = true)]
    private static partial nint FDOpenDir(SafeFileHandle folder);

    [LibraryImport("libc", EntryPoint = "fdopendir$INODE64", SetLastError = true)]
    private static partial nint FDOpenDirOfIntelMac(SafeFileHandle folder);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Read", SetLastError = true)]
    private static partial int Read(SafeFileHandle file, ref byte bytes, int count);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_ReadDir")]
    private static unsafe partial int ReadDir(nint stream, DirectoryEntry* entry);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_CloseDir")]
    private static partial int CloseDir(nint stream);

    /// <summary>.NET's own form of a name in a folder, the same on all systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct DirectoryEntry
    {
        public byte* Name;
        public int NameLength;
        public int Kind;
    }

    // struct flock of Linux, for 64-bit processors.
    [StructLayout(LayoutKind.Sequential)]
    private struct FileLock
    {
        public short Type;
        public short Whence;
        public long Start;
        public long Length;
        public int ProcessId;
    }
}
