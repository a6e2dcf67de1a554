using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// Knows which descriptors of this process belong to our SQLite, and so which belong to somebody else. POSIX drops all locks
/// of a process on a file when the process closes any descriptor of it. If another SQLite library in the process has a
/// database open, our opening and closing of it would let a second writer in.
/// </summary>
/// <remarks>
/// SQLite allows its open and close to be replaced (xSetSystemCall, https://sqlite.org/c3ref/vfs.html). Nothing else would be
/// exact: SQLite keeps the descriptors of closed connections while other connections hold locks, and numbers are reused.
/// </remarks>
internal static unsafe class SqliteDescriptors
{
    // While a descriptor is just being opened or closed, its owner is unknown. Opening one on a dead network drive never ends.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // SQLite opens the files beside a database, such as -journal, for reading, and would wait for ever for the other end of a
    // named pipe that somebody put there. Opened without waiting, a pipe fails at the first read; a file is read as usual.
    private static readonly int NonBlocking = OperatingSystem.IsMacOS() ? 0x4 : 0x800;

    // SHARED_FIRST and SHARED_SIZE of SQLite's os.h: https://sqlite.org/fileformat2.html#the_lock_byte_page
    private const long SharedLockOffset = 0x40000002;
    private const long SharedLockLength = 510;

    // UNIX_SHM_BASE of os_unix.c: the locks of the index, of which those of the writer and of the checkpointer are the first two. After all of them comes
    // UNIX_SHM_DMS, which everybody shares who has the index open.
    private const long IndexLockOffset = 120;
    private const long WriterAndCheckpointer = 2;
    private const long IndexUseOffset = 128;

    private static readonly object Gate = new();

    // Each with the path by which it was opened.
    private static readonly Dictionary<int, string> Held = [];

    // In the order of openings.
    private static readonly Dictionary<string, List<int>> HeldByPath = new(StringComparer.Ordinal);
    private static delegate* unmanaged[Cdecl]<byte*, int, int, int> openFile;
    private static delegate* unmanaged[Cdecl]<int, int> closeFile;
    private static delegate* unmanaged[Cdecl]<int, uint, uint, int> giveFile;
    private static int changing;

    /// <summary>Begins to watch. Called once, before the library opens anything.</summary>
    public static void Watch()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var system = SqliteLibrary.FindVfs(0);
        if (system is null || system->Version < 3)
        {
            throw new InvalidOperationException("SQLite does not report how it opens files.");
        }

        openFile = (delegate* unmanaged[Cdecl]<byte*, int, int, int>)Replace(system, "open"u8, (nint)(delegate* unmanaged[Cdecl]<byte*, int, int, int>)&Open);
        closeFile = (delegate* unmanaged[Cdecl]<int, int>)Replace(system, "close"u8, (nint)(delegate* unmanaged[Cdecl]<int, int>)&Close);
        giveFile = (delegate* unmanaged[Cdecl]<int, uint, uint, int>)Replace(system, "fchown"u8, (nint)(delegate* unmanaged[Cdecl]<int, uint, uint, int>)&Give);
    }

    /// <summary>Refuses a file that something else than our SQLite has open in this process. It does not open the file for that.</summary>
    /// <exception cref="BackupException">DatabaseOpenInProcess.</exception>
    public static void RefuseOthers(string path)
    {
        if (!OperatingSystem.IsWindows() && FileIdentity.Of(path) is { } file && IsOpenElsewhere(file))
        {
            throw new BackupException(
                BackupErrorId.DatabaseOpenInProcess, path,
                $"'{path}' is already open in this PowerShell, by another module's SQLite or by a script. It was not touched: when one part of a process closes a file, the system drops the locks of all parts, and two writers could write at once. Close it there first, or give this command a process of its own (pwsh -Command, or shbackup -Command).");
        }
    }

    /// <summary>
    /// Looks into a file, unless anything in this process has it open: until the look ends, our SQLite opens and closes nothing.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="look">Opens, reads and closes it.</param>
    /// <param name="ifOpen">The result for a file that is open, or that is just being opened.</param>
    public static bool LookWhileClosed(string path, Func<bool> look, bool ifOpen)
    {
        if (OperatingSystem.IsWindows())
        {
            return look();
        }

        lock (Gate)
        {
            return changing > 0 || (FileIdentity.Of(path) is { } file && Descriptors().Any(descriptor => FileIdentity.OfDescriptor(descriptor) == file))
                ? ifOpen
                : look();
        }
    }

    /// <summary>
    /// Returns owner and permissions of the file that our SQLite opened by a path, whatever has that name by now; null if it has
    /// none open. While it is open, no other descriptor of it may be opened here, so that none is closed.
    /// </summary>
    public static FileAccessRecord? AccessOf(string path)
    {
        lock (Gate)
        {
            if (NewestOf(path) is not { } descriptor)
            {
                return null;
            }

            using var file = new SafeFileHandle(descriptor, ownsHandle: false);
            return FileOwnership.Read(file, path);
        }
    }

    /// <summary>
    /// Whether another process has a database in WAL mode open, which our SQLite has open, too: each connection keeps SQLite's shared lock on
    /// the file. It only asks, and takes no lock. True where that is not known: for a path that is not open here, and on other systems than Linux.
    /// </summary>
    public static bool IsUsedByOthers(string path)
    {
        lock (Gate)
        {
            return NewestOf(path) is not { } descriptor || UnixCalls.IsLockedByOthers(descriptor, SharedLockOffset, SharedLockLength);
        }
    }

    /// <summary>
    /// Whether one other process holds both the writer's and the checkpointer's lock of a database in WAL mode that our SQLite has open. It only
    /// asks, and takes no lock. False where that is not known.
    /// </summary>
    public static bool IsOneWritingAndCheckpointing(string path)
    {
        lock (Gate)
        {
            return NewestOf(path + "-shm") is { } descriptor && UnixCalls.IsLockedByOne(descriptor, IndexLockOffset, WriterAndCheckpointer);
        }
    }

    /// <summary>
    /// Whether another process has the index of a log open, and so the log, which our SQLite has open, too. It only asks, and takes no lock. True where that
    /// is not known.
    /// </summary>
    public static bool IsLogUsedByOthers(string path)
    {
        lock (Gate)
        {
            return NewestOf(path + "-shm") is not { } descriptor || UnixCalls.IsLockedByOthers(descriptor, IndexUseOffset, length: 1);
        }
    }

    /// <summary>Returns the status of a file that our SQLite opened by a path, and its name by now; null where that is not known.</summary>
    /// <param name="path">The path by which it was opened.</param>
    /// <param name="file">Which file it is: another one may have that name by now.</param>
    public static (FileStatus Status, string Name)? Locate(string path, FileIdentity file)
    {
        lock (Gate)
        {
            foreach (var descriptor in HeldByPath.GetValueOrDefault(path, []))
            {
                if (FileStatus.Of(descriptor) is { } status && status.Identity == file
                    && File.ResolveLinkTarget($"/proc/self/fd/{descriptor.ToString(CultureInfo.InvariantCulture)}", returnFinalTarget: false) is { } name)
                {
                    return (status, name.FullName);
                }
            }

            return null;
        }
    }

    private static int? NewestOf(string path) => HeldByPath.TryGetValue(path, out var descriptors) ? descriptors[^1] : null;

    private static void Hold(int descriptor, string path)
    {
        Release(descriptor);
        Held[descriptor] = path;
        if (!HeldByPath.TryGetValue(path, out var descriptors))
        {
            HeldByPath[path] = descriptors = [];
        }

        descriptors.Add(descriptor);
    }

    private static void Release(int descriptor)
    {
        if (Held.Remove(descriptor, out var path) && HeldByPath[path] is var descriptors && descriptors.Remove(descriptor) && descriptors.Count == 0)
        {
            _ = HeldByPath.Remove(path);
        }
    }

    private static bool IsOpenElsewhere(FileIdentity file)
    {
        lock (Gate)
        {
            var began = Stopwatch.GetTimestamp();
            while (changing > 0 && Stopwatch.GetElapsedTime(began) is var waited && waited < LongestWait)
            {
                _ = Monitor.Wait(Gate, LongestWait - waited);
            }

            return Descriptors().Any(descriptor => !Held.ContainsKey(descriptor) && FileIdentity.OfDescriptor(descriptor) == file);
        }
    }

    /// <summary>
    /// Returns numbers among which are all descriptors of this process. Linux tells how many there are at most: its list of them would be asked twice
    /// for each, which makes the start of a thousand protections quadratic. macOS lists them as files.
    /// </summary>
    private static IEnumerable<int> Descriptors()
    {
        const int mostWhereNotShown = 4096;
        return OperatingSystem.IsLinux() ? Enumerable.Range(0, TableSize() ?? mostWhereNotShown)
            : Directory.Exists("/dev/fd") ? Directory.EnumerateFileSystemEntries("/dev/fd").Select(Number)
            : Enumerable.Range(0, mostWhereNotShown);

        static int Number(string file) =>
            int.TryParse(Path.GetFileName(file), NumberStyles.None, CultureInfo.InvariantCulture, out var descriptor) ? descriptor : -1;
    }

    /// <summary>The size of the table of descriptors, https://man7.org/linux/man-pages/man5/proc_pid_status.5.html ; null where it is not shown.</summary>
    private static int? TableSize()
    {
        const string name = "FDSize:";
        return File.Exists("/proc/self/status")
            && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line
            && int.TryParse(line.AsSpan(name.Length), NumberStyles.Integer, CultureInfo.InvariantCulture, out var size)
                ? size
                : null;
    }

    private static nint Replace(SqliteVfs* system, ReadOnlySpan<byte> name, nint by)
    {
        fixed (byte* pointer = name)
        {
            var former = system->GetSystemCall(system, pointer);
            var code = system->SetSystemCall(system, pointer, by);
            return former != 0 && code == SQLitePCL.raw.SQLITE_OK
                ? former
                : throw new InvalidOperationException(
                    string.Create(CultureInfo.InvariantCulture, $"SQLite does not allow its system calls to be replaced ({code})."));
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(byte* path, int flags, int mode)
    {
        lock (Gate)
        {
            changing++;
        }

        var descriptor = openFile(path, flags | NonBlocking, mode);

        // SQLite reads the error of a failed call.
        var error = Marshal.GetLastSystemError();
        var name = Marshal.PtrToStringUTF8((nint)path);
        lock (Gate)
        {
            changing--;
            if (descriptor >= 0)
            {
                Hold(descriptor, name!);
            }

            Monitor.PulseAll(Gate);
        }

        Marshal.SetLastSystemError(error);
        return descriptor;
    }

    /// <summary>
    /// When root runs it, SQLite gives the log and the journal that it opens to the database's owner, whoever made them. The
    /// owner of the folder could give one of them the name of a file of root's. So a file with content keeps its owner.
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Give(int descriptor, uint user, uint group) => FileStatus.Of(descriptor) is { Length: 0 } ? giveFile(descriptor, user, group) : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(int descriptor)
    {
        lock (Gate)
        {
            changing++;

            // Before the close: the next file that is opened may get the same number.
            Release(descriptor);
        }

        var result = closeFile(descriptor);
        var error = Marshal.GetLastSystemError();
        lock (Gate)
        {
            changing--;
            Monitor.PulseAll(Gate);
        }

        Marshal.SetLastSystemError(error);
        return result;
    }
}
