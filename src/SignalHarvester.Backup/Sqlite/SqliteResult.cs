using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>What the result codes of SQLite mean to a backup.</summary>
internal static class SqliteResult
{
    public const int ReadOnlyRecovery = raw.SQLITE_READONLY | (1 << 8);
    public const int ReadOnlyRollback = raw.SQLITE_READONLY | (3 << 8);
    public const int ReadOnlyCantInit = raw.SQLITE_READONLY | (5 << 8);
    public const int IoErrorShortRead = raw.SQLITE_IOERR | (2 << 8);

    /// <summary>Returns the primary code, which is in the lower eight bits.</summary>
    public static int Primary(int extended) => extended & 0xff;

    /// <summary>Whether somebody else's lock is in the way.</summary>
    public static bool IsBusy(int code) => Primary(code) is raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    /// <summary>Whether SQLite found damaged content, or no database.</summary>
    public static bool IsDamage(int code) => Primary(code) is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB;
}
