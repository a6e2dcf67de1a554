using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Storage;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// A database that somebody may be using. A read transaction keeps it still for as long as this object lives. It never
/// checkpoints, and only SQLite opens the database's files.
/// </summary>
internal sealed class LiveDatabase : IDisposable
{
    private const long LeastFreeBytes = 64 << 10;
    private const int BusyPollMilliseconds = 100;

    // https://sqlite.org/c3ref/c_dbconfig_defensive.html
    private const int DbConfigNoCheckpointOnClose = 1006;

    private readonly SqliteConnection connection;
    private readonly ReadOnlyMediaGuard? readOnlyGuard;
    private WalIndexHeader? snapshot;
    private uint copied;

    private LiveDatabase(string path, SqliteConnection connection, bool tolerateDamage, ReadOnlyMediaGuard? readOnlyGuard)
    {
        Path = path;
        this.connection = connection;
        ToleratesDamage = tolerateDamage;
        this.readOnlyGuard = readOnlyGuard;
    }

    /// <summary>The database file's full path.</summary>
    public string Path { get; }

    private string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Whether damage is copied as it is instead of being an error.</summary>
    public bool ToleratesDamage { get; }

    /// <summary>Bytes in a page.</summary>
    public int PageSize { get; private set; }

    /// <summary>Pages at the snapshot.</summary>
    public long PageCount { get; private set; }

    /// <summary>Whether the database is in WAL mode, in which readers never block writers.</summary>
    public bool IsWal { get; private set; }

    /// <summary>The connection's handle.</summary>
    public sqlite3 Handle => connection.Handle!;

    /// <summary>The connection, inside its read transaction.</summary>
    public SqliteConnection Connection => connection;

    /// <summary>Opens the database and pins a snapshot of it.</summary>
    /// <param name="path">The file's full path; it exists and is a regular file.</param>
    /// <param name="lockTimeout">How long to wait for locks of other processes.</param>
    /// <param name="tolerateDamage">Copy damage as it is.</param>
    /// <param name="cancellation">Stops the waiting.</param>
    /// <exception cref="BackupException">Source… : the database cannot be read, and why.</exception>
    public static LiveDatabase Open(string path, TimeSpan lockTimeout, bool tolerateDamage, CancellationToken cancellation)
    {
        var database = Connect(path, tolerateDamage, immutable: false, cancellation);
        try
        {
            database.Pin(lockTimeout, cancellation);
            return database;
        }
        catch (BackupException exception)
            when (exception.ErrorId is BackupErrorId.SourceNeedsRecovery or BackupErrorId.InsufficientSpace && ReadOnlyMediaGuard.Applies(path))
        {
            // Nothing can be written beside the database, because the disk is read-only or full.
            database.Dispose();
            database = Connect(path, tolerateDamage, immutable: true, cancellation);
        }
        catch
        {
            database.Dispose();
            throw;
        }

        try
        {
            database.Pin(lockTimeout, cancellation);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Returns the image of the pinned snapshot, read through SQLite's own handles.</summary>
    /// <exception cref="SnapshotLostException">The log does not agree with the snapshot.</exception>
    public IDatabaseImage PinImage(CancellationToken cancellation) => new PinnedImage(this, snapshot, copied, cancellation);

    /// <summary>The place in the write-ahead log where the snapshot ends; null in rollback-journal mode and if the log is empty.</summary>
    public WalPosition? WalPosition => snapshot?.Position;

    /// <summary>The pinned snapshot in WAL mode; null in rollback-journal mode and if the log is empty.</summary>
    public WalIndexHeader? Snapshot => snapshot;

    /// <summary>Returns the content of the write-ahead log between a place and the snapshot's end.</summary>
    /// <returns>Null if the log does not provably continue from that place.</returns>
    /// <exception cref="SnapshotLostException">The log does not agree with the snapshot.</exception>
    public WalTail? PinTail(WalPosition after, CancellationToken cancellation) =>
        snapshot is null ? null : WalTail.Read(this, snapshot, after, cancellation);

    /// <summary>Confirms that nobody changed a file that was read without locks.</summary>
    /// <exception cref="SnapshotLostException">A file on read-only media changed all the same.</exception>
    public void ConfirmUnchanged() => readOnlyGuard?.Confirm();

    /// <summary>Runs a query that can take long, so that cancelling interrupts it.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="BackupException">SourceCorrupt and the other Source… errors.</exception>
    public T Query<T>(Func<SqliteConnection, T> query, CancellationToken cancellation)
    {
        try
        {
            return query(connection);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == raw.SQLITE_INTERRUPT && cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellation);
        }
        catch (SqliteException exception)
        {
            throw Fault(exception.SqliteExtendedErrorCode, exception);
        }
    }

    /// <summary>Translates a result code of SQLite for this database into an error that says what to do.</summary>
    public BackupException Fault(int code, Exception? inner = null)
    {
        var detail = raw.sqlite3_errstr(code).utf8_to_string();
        return code switch
        {
            _ when SqliteResult.IsBusy(code) => new BackupException(
                BackupErrorId.SourceLocked, Path,
                $"'{Path}' was locked by another process for the whole -LockTimeout. Wait until its transaction ends, or give a longer -LockTimeout. An application with PRAGMA locking_mode = EXCLUSIVE never releases the lock: stop it for the backup.",
                inner),
            _ when CompanionFiles.WhatStandsInTheWay(Path, code) is { } stranger => new BackupException(
                BackupErrorId.ReadFailed, Path, $"'{Path}' cannot be read: {stranger}", inner),
            _ when SchemaWidth.WhyUnreadable(Handle, code) is { } reason => TooWide(reason, inner),
            _ when SqliteResult.Primary(code) == raw.SQLITE_CORRUPT => Damaged(detail, inner),
            _ when SqliteResult.Primary(code) == raw.SQLITE_NOTADB => NotADatabase(inner),
            SqliteResult.ReadOnlyRecovery or SqliteResult.ReadOnlyRollback or SqliteResult.ReadOnlyCantInit => NeedsRecovery(inner),
            // The database itself was opened before, so the log cannot be opened, or the -shm file that goes with it.
            _ when SqliteResult.Primary(code) is raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY => NeedsRecovery(inner),
            _ when SqliteResult.Primary(code) == raw.SQLITE_FULL => new BackupException(
                BackupErrorId.InsufficientSpace, Path,
                $"A disk is full: that of '{Path}', or that of the temporary folder '{System.IO.Path.GetTempPath()}'. Free some space, then try again.",
                inner),
            // To read a database in WAL mode, SQLite makes the -shm file beside it.
            _ when SqliteResult.Primary(code) == raw.SQLITE_IOERR && FreeSpace.Of(Folder) < LeastFreeBytes => new BackupException(
                BackupErrorId.InsufficientSpace, Path,
                $"The disk of '{Path}' is full, and SQLite needs {LeastFreeBytes >> 10} KiB beside a database in WAL mode to read it. Free some space, then try again.",
                inner),
            _ => new BackupException(
                BackupErrorId.ReadFailed, Path, $"SQLite cannot read '{Path}': {detail}. Check the disk and the system log, then run the backup again.", inner),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (connection.Handle is { IsInvalid: false } handle)
        {
            if (SqliteFile.Journal(handle) is { IsOpen: true, Length: > 0 })
            {
                // Closing as the last connection would checkpoint the user's log and delete it, even into a file that is
                // no longer a database. A log with content stays as it was found.
                _ = raw.sqlite3_db_config(handle, DbConfigNoCheckpointOnClose, 1, out _);
            }

            _ = raw.sqlite3_exec(handle, "ROLLBACK");
        }

        connection.Dispose();
    }

    private static LiveDatabase Connect(string path, bool tolerateDamage, bool immutable, CancellationToken cancellation)
    {
        try
        {
            return immutable
                ? new LiveDatabase(path, SqliteConnections.OpenImmutable(path, cancellation), tolerateDamage, new ReadOnlyMediaGuard(path))
                : new LiveDatabase(path, SqliteConnections.OpenLive(path, cancellation), tolerateDamage, readOnlyGuard: null);
        }
        catch (SqliteException exception)
        {
            throw new BackupException(
                BackupErrorId.SourceUnreadable, path,
                $"'{path}' cannot be opened ({raw.sqlite3_errstr(exception.SqliteExtendedErrorCode).utf8_to_string()}). Check that this account may read the file and its folder.",
                exception);
        }
    }

    private void Pin(TimeSpan lockTimeout, CancellationToken cancellation)
    {
        RefuseEmpty();
        _ = raw.sqlite3_busy_timeout(Handle, BusyPollMilliseconds);
        if (ToleratesDamage)
        {
            // Allows SQLite to read past a nonsensical schema or page count.
            Acquire("PRAGMA writable_schema = ON", lockTimeout, cancellation);
        }

        string modeBefore;
        do
        {
            _ = raw.sqlite3_exec(Handle, "ROLLBACK");
            modeBefore = BeginSnapshot(lockTimeout, cancellation);
        }
        while (modeBefore != JournalMode());

        IsWal = modeBefore == "wal";
        try
        {
            PageSize = (int)SqliteConnections.ScalarInt64(connection, "PRAGMA page_size");
            PageCount = SqliteConnections.ScalarInt64(connection, "PRAGMA page_count");
        }
        catch (SqliteException exception)
        {
            throw Fault(exception.SqliteExtendedErrorCode, exception);
        }

        if (PageCount == 0)
        {
            throw Empty();
        }
    }

    private string BeginSnapshot(TimeSpan lockTimeout, CancellationToken cancellation)
    {
        // The order keeps the snapshot whole. In autocommit the first statement opens the log; then sqlite3_snapshot_get as the
        // FIRST call of the transaction takes a real read mark. If an ordinary read came first, it could take read lock 0, under
        // which the next writer restarts the log.
        const string touch = "PRAGMA schema_version";
        Acquire(touch, lockTimeout, cancellation);
        var mode = JournalMode();

        // Before, because a checkpoint that comes later passes over pages that are written once more after the snapshot.
        var before = mode == "wal" && readOnlyGuard is null && SqliteFile.Main(Handle) is { HasIndex: true } main ? new IndexView(main).Copied() : null;
        Acquire("BEGIN", lockTimeout, cancellation);
        snapshot = TakeSnapshot(lockTimeout, cancellation);
        if (snapshot is null)
        {
            // Rollback-journal mode, or an empty log: an ordinary read transaction keeps the file still, in the second
            // case under read lock 0. Asked again, SQLite must still know of no frames.
            Acquire(touch, lockTimeout, cancellation);
            snapshot = TakeSnapshot(lockTimeout, cancellation);
        }

        copied = snapshot is not null && before?.Salts == snapshot.Salts && before.Value.Frames <= snapshot.MaxFrame ? before.Value.Frames : 0;
        return mode;
    }

    private WalIndexHeader? TakeSnapshot(TimeSpan lockTimeout, CancellationToken cancellation)
    {
        var pointer = IntPtr.Zero;
        var code = Retry(() => SqliteLibrary.SnapshotGet(Handle.DangerousGetHandle(), "main", out pointer), lockTimeout, cancellation);
        if (code == raw.SQLITE_ERROR)
        {
            return null;
        }

        if (code != raw.SQLITE_OK)
        {
            throw Fault(code);
        }

        try
        {
            return WalIndexHeader.Read(pointer);
        }
        finally
        {
            SqliteLibrary.SnapshotFree(pointer);
        }
    }

    private void Acquire(string sql, TimeSpan lockTimeout, CancellationToken cancellation)
    {
        var code = Retry(() => raw.sqlite3_exec(Handle, sql), lockTimeout, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (code != raw.SQLITE_OK)
        {
            throw Fault(raw.sqlite3_extended_errcode(Handle) is var extended && SqliteResult.Primary(extended) == SqliteResult.Primary(code) ? extended : code);
        }
    }

    private static int Retry(Func<int> attempt, TimeSpan lockTimeout, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var code = attempt();
            if (!SqliteResult.IsBusy(code) || Stopwatch.GetElapsedTime(started) >= lockTimeout)
            {
                return code;
            }
        }
    }

    private string JournalMode()
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode";
        try
        {
            return (string)command.ExecuteScalar()!;
        }
        catch (SqliteException exception)
        {
            throw Fault(exception.SqliteExtendedErrorCode, exception);
        }
    }

    private void RefuseEmpty()
    {
        // Before the first statement, because over an empty file SQLite deletes a log that may hold everything.
        var main = SqliteFile.Main(Handle);
        if (main.IsOpen && main.Length == 0)
        {
            throw Empty();
        }
    }

    private BackupException Empty() => new(
        BackupErrorId.SourceEmpty, Path,
        $"'{Path}' is empty, so it contains no database. Check the path; if the database was lost, restore it with Restore-SHBackup.");

    private BackupException TooWide(string reason, Exception? inner) => new(
        BackupErrorId.SourceUnreadable, BackupErrorCategory.InvalidOperation, Path,
        $"'{Path}' cannot be checked here: {reason}. That is not damage. To back it up without verifying its content, add -Force.", inner);

    private BackupException Damaged(string detail, Exception? inner)
    {
        Span<byte> header = stackalloc byte[DatabaseHeader.Size];
        var main = SqliteFile.Main(Handle);
        if (main.IsOpen && main.Read(0, header))
        {
            var stated = DatabaseHeader.PageCount(header) * (long)DatabaseHeader.PageSize(header);
            var length = main.Length;
            if (stated > length)
            {
                return new BackupException(
                    BackupErrorId.SourceTruncated, Path, string.Create(
                        CultureInfo.InvariantCulture,
                        $"'{Path}' is cut short: its header states {stated} bytes, but the file has {length}. Restore it from a backup; to back up the rest of it anyway, add -Force."),
                    inner);
            }
        }

        return new BackupException(
            BackupErrorId.SourceCorrupt, Path,
            $"'{Path}' is damaged ({detail}). Restore it from a backup; to back it up anyway, marked as damaged, add -Force.", inner);
    }

    private BackupException NotADatabase(Exception? inner)
    {
        var main = SqliteFile.Main(Handle);
        var sample = new byte[4096];
        if (main.IsOpen)
        {
            var length = main.Length;
            var used = sample.AsSpan(0, (int)Math.Min(sample.Length, length));
            _ = main.Read(0, used);
            if (DatabaseHeader.LooksEncrypted(used, length))
            {
                return new BackupException(
                    BackupErrorId.SourceEncrypted, Path,
                    $"'{Path}' looks encrypted (SQLCipher or the like), which SQLite itself cannot read. Back it up with the tool that encrypts it, for example with SQLCipher's sqlcipher_export().",
                    inner);
            }
        }

        return new BackupException(
            BackupErrorId.SourceNotSqlite, Path, $"'{Path}' is not an SQLite database: it has no SQLite header. Check the path.", inner);
    }

    private BackupException NeedsRecovery(Exception? inner) => new(
        BackupErrorId.SourceNeedsRecovery, Path,
        $"'{Path}' has an unfinished journal or write-ahead log that must be applied first, and this account may not write there. Run the backup as an account that may, or copy the database with its -wal or -journal to a writable folder and back that up.",
        inner);
}
