using System.Runtime.InteropServices;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// A file that SQLite itself has open, read through SQLite's own methods.
/// </summary>
/// <remarks>
/// POSIX drops all of a process's locks on a file when any descriptor of it is closed
/// (https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close),
/// so a live database must never be opened a second time. The layout of sqlite3_file and sqlite3_io_methods is
/// public and frozen (https://sqlite.org/c3ref/io_methods.html). Only one thread at a time may use it.
/// </remarks>
internal readonly unsafe struct SqliteFile
{
    private const int FileControlFilePointer = 7;
    private const int FileControlJournalPointer = 28;

    // https://sqlite.org/c3ref/c_shm_exclusive.html
    private const int SharedMemoryUnlock = 1;
    private const int SharedMemoryLock = 2;
    private const int SharedMemoryShared = 4;
    private const int SharedMemoryExclusive = 8;

    // The index of a log is mapped in regions of this size (WALINDEX_PGSZ of SQLite's wal.c).
    private const int IndexRegionBytes = 32 << 10;

    // https://sqlite.org/c3ref/c_lock_exclusive.html
    private const int LockNone = 0;
    private const int LockShared = 1;
    private const int LockExclusive = 4;

    // https://sqlite.org/c3ref/c_sync_dataonly.html
    private const int SyncNormal = 2;

    private readonly File* file;

    private SqliteFile(IntPtr pointer) => file = (File*)pointer;

    /// <summary>The main database file of a connection.</summary>
    public static SqliteFile Main(sqlite3 connection) => Get(connection, FileControlFilePointer);

    /// <summary>The journal of a connection; in WAL mode, its write-ahead log.</summary>
    public static SqliteFile Journal(sqlite3 connection) => Get(connection, FileControlJournalPointer);

    /// <summary>Whether the file is open; a journal may not be.</summary>
    public bool IsOpen => file != null && file->Methods != null;

    /// <summary>The file's length in bytes.</summary>
    /// <exception cref="SqliteIOException">The operating system failed.</exception>
    public long Length
    {
        get
        {
            long length;
            var code = file->Methods->FileSize(file, &length);
            return code == raw.SQLITE_OK ? length : throw new SqliteIOException(code, "size");
        }
    }

    /// <summary>Fills a buffer from an offset; bytes behind the end of the file read as zeros.</summary>
    /// <returns>False if the file ended before the buffer was full.</returns>
    /// <exception cref="SqliteIOException">The operating system failed.</exception>
    public bool Read(long offset, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            var code = file->Methods->Read(file, pointer, buffer.Length, offset);
            return code switch
            {
                raw.SQLITE_OK => true,
                SqliteResult.IoErrorShortRead => false,
                _ => throw new SqliteIOException(code, "read"),
            };
        }
    }

    /// <summary>Writes bytes at an offset.</summary>
    /// <exception cref="SqliteIOException">The operating system failed.</exception>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            if (file->Methods->Write(file, pointer, bytes.Length, offset) is not raw.SQLITE_OK and var code)
            {
                throw new SqliteIOException(code, "write");
            }
        }
    }

    /// <summary>Flushes what was written to the disk.</summary>
    /// <exception cref="SqliteIOException">The operating system failed.</exception>
    public void Sync()
    {
        if (file->Methods->Sync(file, SyncNormal) is not raw.SQLITE_OK and var code)
        {
            throw new SqliteIOException(code, "sync");
        }
    }

    /// <summary>
    /// Locks a database file against everybody, as its last user does before closing a log. It fails if anybody has the database
    /// open in WAL mode, by whatever name, or is in a transaction. Only for a connection that has run nothing yet.
    /// </summary>
    /// <returns>SQLite's result: busy if others are in the way.</returns>
    public int TryLockAlone()
    {
        var code = file->Methods->Lock(file, LockShared);
        if (code == raw.SQLITE_OK)
        {
            code = file->Methods->Lock(file, LockExclusive);
        }

        if (code != raw.SQLITE_OK)
        {
            Unlock();
        }

        return code;
    }

    /// <summary>
    /// Locks the database file of a connection in WAL mode against everybody. It fails if anybody else has the database open in WAL mode, by whatever name, or
    /// reads it. Only for the last connection of this process, which is to be closed after that.
    /// </summary>
    /// <returns>Whether nobody else has it open.</returns>
    public bool TryLockAgainstOthers()
    {
        if (file->Methods->Lock(file, LockExclusive) == raw.SQLITE_OK)
        {
            return true;
        }

        // A lock that waits for others may be held by now.
        _ = file->Methods->Unlock(file, LockShared);
        return false;
    }

    /// <summary>Releases the lock of <see cref="TryLockAlone"/>.</summary>
    public void Unlock() => _ = file->Methods->Unlock(file, LockNone);

    /// <summary>
    /// The beginning of the index of the write-ahead log, in memory that all processes share. It stays valid until the connection
    /// is closed. Only for a connection that has read the database in WAL mode.
    /// </summary>
    /// <exception cref="SqliteIOException">There is no index.</exception>
    public byte* MapIndex() =>
        TryMapIndex(0, extends: false, out var code) is var region && region != null ? region : throw new SqliteIOException(code, "index");

    /// <summary>A region of that index, which is made if there is none yet.</summary>
    /// <param name="region">Its number, from 0.</param>
    /// <exception cref="SqliteIOException">It cannot be made.</exception>
    public byte* MapIndex(int region) =>
        TryMapIndex(region, extends: true, out var code) is var mapped && mapped != null ? mapped : throw new SqliteIOException(code, "index");

    /// <summary>
    /// Whether <see cref="MapIndex()"/> finds it. SQLite reads a log without one, too, on its own, where the file cannot be opened.
    /// </summary>
    public bool HasIndex => TryMapIndex(0, extends: false, out _) != null;

    /// <summary>Makes what other processes wrote to the index before visible to what is read after.</summary>
    public void IndexBarrier() => file->Methods->SharedBarrier(file);

    /// <summary>
    /// Takes a lock on the index (https://sqlite.org/walformat.html#wal_locks), which SQLite's own connection does not know of: only for one
    /// that runs nothing meanwhile.
    /// </summary>
    /// <param name="slot">The lock's number, from 0.</param>
    /// <param name="isShared">Whether others may share it.</param>
    /// <returns>SQLite's result: busy if others are in the way.</returns>
    public int TryLockIndex(int slot, bool isShared) =>
        file->Methods->SharedLock(file, slot, 1, SharedMemoryLock | (isShared ? SharedMemoryShared : SharedMemoryExclusive));

    /// <summary>Releases a lock of <see cref="TryLockIndex"/>.</summary>
    public void UnlockIndex(int slot, bool isShared) =>
        _ = file->Methods->SharedLock(file, slot, 1, SharedMemoryUnlock | (isShared ? SharedMemoryShared : SharedMemoryExclusive));

    private byte* TryMapIndex(int region, bool extends, out int code)
    {
        void* mapped;
        code = file->Methods->SharedMap(file, region, IndexRegionBytes, extends ? 1 : 0, &mapped);
        return code == raw.SQLITE_OK ? (byte*)mapped : null;
    }

    private static SqliteFile Get(sqlite3 connection, int operation)
    {
        var code = SqliteLibrary.FileControl(connection.DangerousGetHandle(), "main", operation, out var pointer);
        return new SqliteFile(code == raw.SQLITE_OK ? pointer : IntPtr.Zero);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct File
    {
        public IoMethods* Methods;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct IoMethods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<File*, int> Close;
        public delegate* unmanaged[Cdecl]<File*, void*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<File*, void*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<File*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<File*, int, int> Sync;
        public delegate* unmanaged[Cdecl]<File*, long*, int> FileSize;
        public delegate* unmanaged[Cdecl]<File*, int, int> Lock;
        public delegate* unmanaged[Cdecl]<File*, int, int> Unlock;
        public delegate* unmanaged[Cdecl]<File*, int*, int> CheckReservedLock;
        public delegate* unmanaged[Cdecl]<File*, int, void*, int> FileControl;
        public delegate* unmanaged[Cdecl]<File*, int> SectorSize;
        public delegate* unmanaged[Cdecl]<File*, int> DeviceCharacteristics;
        public delegate* unmanaged[Cdecl]<File*, int, int, int, void**, int> SharedMap;
        public delegate* unmanaged[Cdecl]<File*, int, int, int, int> SharedLock;
        public delegate* unmanaged[Cdecl]<File*, void> SharedBarrier;
    }
}
