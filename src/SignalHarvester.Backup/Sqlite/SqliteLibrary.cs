using System.Globalization;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>The SQLite library of this process. It is loaded once, and refused if it is too old to be safe in WAL mode.</summary>
internal static unsafe partial class SqliteLibrary
{
    private const string Library = "e_sqlite3";

    // https://sqlite.org/wal.html#walreset: below 3.51.3 a checkpoint that races a WAL reset can corrupt the database.
    private const int OldestTrustedVersion = 3_051_003;

    private static readonly Lazy<string> LoadedVersion = new(Load);

    /// <summary>The library's version, such as 3.53.3.</summary>
    /// <exception cref="BackupException">SqliteTooOld.</exception>
    public static string Version => LoadedVersion.Value;

    /// <summary>Loads the library. Every class that calls into SQLite calls this first.</summary>
    /// <exception cref="BackupException">SqliteTooOld.</exception>
    public static void EnsureLoaded() => _ = LoadedVersion.Value;

    [LibraryImport(Library, EntryPoint = "sqlite3_snapshot_get", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SnapshotGet(IntPtr database, string schema, out IntPtr snapshot);

    [LibraryImport(Library, EntryPoint = "sqlite3_snapshot_free")]
    internal static partial void SnapshotFree(IntPtr snapshot);

    [LibraryImport(Library, EntryPoint = "sqlite3_db_release_memory")]
    internal static partial int ReleaseMemory(IntPtr database);

    [LibraryImport(Library, EntryPoint = "sqlite3_file_control", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int FileControl(IntPtr database, string schema, int operation, out IntPtr argument);

    /// <summary>
    /// Returns a number that changes whenever another connection has changed the database, as this connection last read it
    /// (https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntldataversion). Takes no lock.
    /// </summary>
    internal static uint DataVersion(sqlite3 connection)
    {
        const int fileControlDataVersion = 35;
        return FileControl(connection.DangerousGetHandle(), "main", fileControlDataVersion, out uint version) == raw.SQLITE_OK
            ? version
            : throw new InvalidOperationException("SQLite does not report its data version.");
    }

    [LibraryImport(Library, EntryPoint = "sqlite3_file_control", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FileControl(IntPtr database, string schema, int operation, out uint argument);

    /// <summary>Returns SQLite's access to files of that name; the default one if no name is given.</summary>
    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_find")]
    internal static partial SqliteVfs* FindVfs(nint name);

    /// <summary>Adds an access to files, by its name. SQLite keeps the pointer.</summary>
    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_register")]
    internal static partial int RegisterVfs(SqliteVfs* vfs, int makeDefault);

    private static string Load()
    {
        Batteries_V2.Init();
        var number = raw.sqlite3_libversion_number();
        var version = raw.sqlite3_libversion().utf8_to_string();
        if (number >= OldestTrustedVersion)
        {
            SqliteDescriptors.Watch();
            return version;
        }

        throw new BackupException(
            BackupErrorId.SqliteTooOld, version, string.Create(
                CultureInfo.InvariantCulture,
                $"The SQLite library in this process is {version}; versions before 3.51.3 can corrupt a WAL database. Start a new PowerShell, and import this module before any other module loads an old e_sqlite3."));
    }
}
