using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SQLitePCL;

namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>
/// A connection that keeps the write-ahead log for us, in one of two ways: a read mark, behind which nobody can begin the log anew, or
/// read lock 0, under which nobody can copy frames to the database file. It never writes.
/// </summary>
internal sealed class HoldingConnection : IDisposable
{
    // https://sqlite.org/c3ref/c_dbconfig_defensive.html
    private const int DbConfigLookaside = 1001;
    private const int DbConfigNoCheckpointOnClose = 1006;

    // https://sqlite.org/walformat.html#wal_locks
    private const int CheckpointLock = 1;
    private const int ReadLock0 = 3;

    private const int MostMarkAttempts = 20;

    private readonly SqliteConnection connection;
    private readonly SqliteFile main;

    private HoldingConnection(SqliteConnection connection)
    {
        this.connection = connection;
        main = SqliteFile.Main(connection.Handle!);
    }

    /// <summary>The connection.</summary>
    public SqliteConnection Connection => connection;

    /// <summary>The database file as SQLite has it open.</summary>
    public SqliteFile Main => main;

    /// <summary>The log as SQLite has it open.</summary>
    public SqliteFile Log => SqliteFile.Journal(connection.Handle!);

    /// <summary>Whether it holds a read mark.</summary>
    public bool HasMark { get; private set; }

    /// <summary>Whether it holds read lock 0.</summary>
    public bool IsAtRest { get; private set; }

    /// <summary>Opens a connection that never checkpoints by itself, not even when it is closed.</summary>
    /// <exception cref="BackupException">DatabaseOpenInProcess.</exception>
    /// <exception cref="SqliteException">The database cannot be opened or read.</exception>
    public static HoldingConnection Open(string path)
    {
        var connection = SqliteConnections.OpenToHold(path);
        try
        {
            var handle = connection.Handle!;

            // 48 KB of small pieces, which serve statements; there are thousands of connections, and hardly any statements.
            _ = raw.sqlite3_db_config(handle, DbConfigLookaside, IntPtr.Zero, 0, 0);
            SqliteConnections.ProvideStandIns(connection);
            _ = raw.sqlite3_busy_timeout(handle, 0);
            _ = raw.sqlite3_wal_autocheckpoint(handle, 0);
            CheckpointsOnClose(handle, checkpoints: false);
            SqliteConnections.Execute(connection, "PRAGMA cache_size = 10");
            return new HoldingConnection(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Reads the database as everybody does, which also mends an index that a dying writer left torn.</summary>
    /// <returns>SQLite's result.</returns>
    public int Touch() => raw.sqlite3_exec(connection.Handle, "PRAGMA schema_version");

    /// <summary>Takes a read mark at the end of the log.</summary>
    /// <param name="end">The end; null if the log has no frames.</param>
    /// <returns>SQLite's result: busy if somebody is mending the index.</returns>
    public int TryMark(out WalIndexHeader? end)
    {
        end = null;
        var code = raw.SQLITE_BUSY;
        for (var attempt = 1; attempt <= MostMarkAttempts && SqliteResult.IsBusy(code); attempt++)
        {
            // As the first call of the transaction, because an ordinary read may take read lock 0 instead of a mark.
            code = raw.sqlite3_exec(connection.Handle, "BEGIN");
            if (code != raw.SQLITE_OK)
            {
                continue;
            }

            code = SqliteLibrary.SnapshotGet(connection.Handle!.DangerousGetHandle(), "main", out var snapshot);
            if (code == raw.SQLITE_OK)
            {
                end = WalIndexHeader.Read(snapshot);
                SqliteLibrary.SnapshotFree(snapshot);
                if (HasMark = end.MaxFrame > 0)
                {
                    return code;
                }

                // In an empty log there is nothing to mark, and SQLite has given read lock 0.
                end = null;
            }

            _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
        }

        // That is its answer for a log that never had a frame.
        return code == raw.SQLITE_ERROR ? raw.SQLITE_OK : code;
    }

    /// <summary>Takes read lock 0, directly, because SQLite may silently give a mark instead.</summary>
    /// <returns>Whether it was free to share.</returns>
    public bool TryRest() => IsAtRest = main.TryLockIndex(ReadLock0, isShared: true) == raw.SQLITE_OK;

    /// <summary>Lets go of the mark or of read lock 0.</summary>
    public void Release()
    {
        if (HasMark)
        {
            _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
            HasMark = false;
        }

        if (IsAtRest)
        {
            main.UnlockIndex(ReadLock0, isShared: true);
            IsAtRest = false;
        }
    }

    /// <summary>Whether no checkpoint runs or waits at this moment.</summary>
    public bool IsCheckpointLockFree()
    {
        if (main.TryLockIndex(CheckpointLock, isShared: false) != raw.SQLITE_OK)
        {
            return false;
        }

        main.UnlockIndex(CheckpointLock, isShared: false);
        return true;
    }

    /// <summary>Runs a checkpoint of SQLite.</summary>
    /// <param name="mode">Its mode, as SQLite numbers it.</param>
    /// <returns>SQLite's result.</returns>
    public int Checkpoint(int mode) => raw.sqlite3_wal_checkpoint_v2(connection.Handle, "main", mode, out _, out _);

    /// <summary>
    /// Lets SQLite do, when this connection is closed, what it does for every application: the last one to leave copies the log to the
    /// database file and deletes it.
    /// </summary>
    public void CheckpointOnClose() => CheckpointsOnClose(connection.Handle!, checkpoints: true);

    /// <summary>Gives back the memory for pages that it does not need while nothing happens.</summary>
    public void ReleaseMemory() => _ = SqliteLibrary.ReleaseMemory(connection.Handle!.DangerousGetHandle());

    /// <inheritdoc/>
    public void Dispose()
    {
        if (connection.Handle is { IsInvalid: false })
        {
            Release();
        }

        connection.Dispose();
    }

    private static void CheckpointsOnClose(sqlite3 handle, bool checkpoints) =>
        _ = raw.sqlite3_db_config(handle, DbConfigNoCheckpointOnClose, checkpoints ? 0 : 1, out _);
}
