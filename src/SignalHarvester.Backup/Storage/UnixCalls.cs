using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// The calls of Linux and macOS that name a file by an open folder and its name there, so that nobody can put another
/// folder in between. .NET has none of them (https://pubs.opengroup.org/onlinepubs/9799919799/functions/open.html).
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

    private const int PermissionDenied = 1;
    private const int AccessDenied = 13;
    private const int NoDevice = 6;

    // A new file that nobody waits for is its owner's alone, rw-------; one that others may wait for is what the account's
    // mask leaves of rw-rw-rw-, so that a group can share a backup directory.
    private const uint PrivateFileMode = 0x180;
    private const uint SharedFileMode = 0x1B6;

    /// <summary>In the place of a folder: the path is taken as it stands.</summary>
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

    // O_PATH and O_SYMLINK. Where there is no O_PATH, what is looked at must be readable.
    private static int Itself => 0x200000 | (IsMac ? NonBlocking : NoFollow);

    private static int RemoveDirectory => IsMac ? 0x80 : 0x200;

    /// <summary>Whether deleting a name failed because it is a folder's: macOS says no more than that it is not permitted.</summary>
    public static bool SaysFolder(int error) => error == (IsMac ? PermissionDenied : IsDirectory);

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
    /// <param name="mode">Open, OpenOrCreate or CreateNew. What CreateNew makes is its owner's alone.</param>
    /// <param name="access">What for.</param>
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

    /// <summary>Opens what has a name, a link being a link, to look at it and to go on from there; not to read it.</summary>
    /// <exception cref="FileNotFoundException">There is no such name.</exception>
    /// <exception cref="IOException">It cannot be opened; HResult is the system's error.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static SafeFileHandle OpenItself(SafeFileHandle parent, string name, string path) => Open(parent, name, path, Itself, 0);

    /// <summary>Where a link leads that was opened with <see cref="OpenItself"/>.</summary>
    /// <exception cref="IOException">The system failed.</exception>
    public static unsafe string ReadLink(SafeFileHandle link, string path)
    {
        const int longest = 4096;
        var target = stackalloc byte[longest];
        var length = IsMac ? FReadLink(link, target, longest) : ReadLinkAt(link, string.Empty, target, longest);
        return length >= 0 ? Marshal.PtrToStringUTF8((nint)target, (int)length) : throw Failure(Marshal.GetLastPInvokeError(), path);
    }

    /// <summary>Opens whatever a person named, for reading. Links are followed; the other end of a pipe is not waited for.</summary>
    /// <exception cref="NotAFileException">It is a socket.</exception>
    /// <exception cref="IOException">It cannot be opened; HResult is the system's error.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static SafeFileHandle OpenNamed(string path) => Open(NoFolder, path, path, NonBlocking, 0);

    /// <summary>Reads what is there of a pipe or a device that was opened with <see cref="OpenNamed"/>. .NET reads none of those by its handle.</summary>
    /// <returns>How much; 0 at the end, and where nobody has a pipe open for writing; null where somebody has, and is silent.</returns>
    /// <exception cref="IOException">The system failed.</exception>
    public static int? TryRead(SafeFileHandle file, Span<byte> bytes, string path)
    {
        var count = Read(file, ref MemoryMarshal.GetReference(bytes), bytes.Length);
        return count >= 0 ? count
            : Marshal.GetLastPInvokeError() is var error && error == WouldBlock ? null
            : throw Failure(error, path);
    }

    /// <summary>Makes a folder, for its owner alone or as the account's mask has it.</summary>
    /// <returns>0, or the system's error.</returns>
    public static int MakeFolder(SafeFileHandle parent, string name, bool isPrivate) =>
        MkDirAt(parent, name, isPrivate ? PrivateFolderMode : SharedFolderMode) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Renames, over whatever file has the new name.</summary>
    /// <returns>0, or the system's error.</returns>
    public static int Rename(SafeFileHandle from, string name, SafeFileHandle to, string newName) =>
        RenameAt(from, name, to, newName) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Makes the names in a folder last.</summary>
    /// <exception cref="IOException">The system failed.</exception>
    public static void Flush(SafeFileHandle folder, string path)
    {
        // Some network file systems cannot flush a folder and say so with EINVAL or ENOTSUP; they order names themselves.
        if (FSync(folder) != 0 && Marshal.GetLastPInvokeError() is var error and not (22 or 45 or 95))
        {
            throw new IOException($"Cannot flush the folder '{path}' to disk: {new Win32Exception(error).Message}.", error);
        }
    }

    /// <summary>Deletes a name that is no folder's.</summary>
    /// <returns>0, or the system's error: of a name that is not there, of one that is a folder's.</returns>
    public static int Delete(SafeFileHandle folder, string name) => UnlinkAt(folder, name, 0) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Deletes an empty folder.</summary>
    /// <returns>0, or the system's error.</returns>
    public static int DeleteFolder(SafeFileHandle parent, string name) => UnlinkAt(parent, name, RemoveDirectory) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>The names in a folder, in the order in which it keeps them.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static unsafe IReadOnlyList<string> Names(SafeFileHandle folder, string path)
    {
        // Another descriptor, because the stream closes its own, and reads from where the last one was.
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
                if (name is not ("." or ".."))
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

    /// <summary>Takes a file's advisory lock, as .NET does for what it opens: exclusive, or together with others.</summary>
    /// <exception cref="IOException">Another handle holds it; HResult is the system's error.</exception>
    public static void Lock(SafeFileHandle file, bool exclusively, string path)
    {
        const int shared = 1;
        const int exclusive = 2;
        const int nonBlocking = 4;
        if (FLock(file, (exclusively ? exclusive : shared) | nonBlocking) != 0
            && Marshal.GetLastPInvokeError() is var error && error == WouldBlock)
        {
            // Any other error is a file system without such locks, which .NET goes on without too.
            throw new IOException($"'{path}' is being used by another process.", error);
        }
    }

    /// <summary>Gives a lock back. Closing would not be enough: a process that is just being started has the file open too, for a moment.</summary>
    public static void Unlock(SafeFileHandle file)
    {
        const int unlock = 8;
        _ = FLock(file, unlock);
    }

    private static SafeFileHandle Open(SafeFileHandle parent, string name, string path, int flags, uint modeOfNew)
    {
        // The mode stands twice: macOS on ARM looks for an optional argument on the stack, all others in the fourth register.
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

    /// <summary>An error of the system, as .NET has it for the same error of its own calls.</summary>
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

    /// <summary>.NET's own form of a name in a folder, alike on all systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct DirectoryEntry
    {
        public byte* Name;
        public int NameLength;
        public int Kind;
    }
}
