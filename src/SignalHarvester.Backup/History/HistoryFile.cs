using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.History;

/// <summary>
/// The SQLite file with the history of a backup directory. It appears complete, so no process ever sees half of it. A damaged
/// one is set aside, because a restore needs nothing from it.
/// </summary>
/// <remarks>
/// Only SQLite opens it: closing any other handle would drop the locks that another runspace of this process holds on it. Its
/// existence and names are checked and changed under the backup directory's lock.
/// </remarks>
internal sealed class HistoryFile(BackupDirectory directory)
{
    private const int BusySeconds = 20;
    private const int MostAttempts = 3;
    private const int ShortRead = 522;

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(20);

    /// <summary>The file's path.</summary>
    public string Path => directory.Layout.HistoryPath;

    /// <summary>The name of a damaged file. One is kept.</summary>
    public string DamagedPath => System.IO.Path.Combine(directory.Layout.StateFolder, "history.damaged.db");

    /// <summary>Changes the history in one transaction; makes the file if there is none.</summary>
    /// <exception cref="SqliteException">SQLite failed.</exception>
    /// <exception cref="IOException">The operating system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    /// <exception cref="BackupException">The file is of a later version, the folder is a link, its lock is held, or SQLite is too old.</exception>
    public void Write(Action<SqliteConnection, SqliteTransaction> change, OperationContext context) => Use(
        () =>
        {
            Create();
            using var connection = Open();
            using var transaction = connection.BeginTransaction(deferred: false);
            change(connection, transaction);
            transaction.Commit();
        },
        context);

    /// <summary>Reads the history at one moment; returns the default if there is none.</summary>
    /// <exception cref="SqliteException">SQLite failed.</exception>
    /// <exception cref="IOException">The operating system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    /// <exception cref="BackupException">The file is of a later version, or its folder is a link.</exception>
    public T Read<T>(Func<SqliteConnection, SqliteTransaction, T> query, T none, OperationContext context) => Use(
        () =>
        {
            directory.RefuseLinks();
            return IsThere ? Read(query) : none;
        },
        context);

    private T Read<T>(Func<SqliteConnection, SqliteTransaction, T> query)
    {
        try
        {
            using var connection = Open();
            return Read(query, connection);
        }
        catch (SqliteException exception) when (IsReadOnly(exception))
        {
            // To read a database with a log, SQLite must be able to write. Without that, the log of a killed process is not read.
            using var connection = Prepare(SqliteConnections.OpenImmutable(Path, CancellationToken.None));
            return Read(query, connection);
        }
    }

    private static T Read<T>(Func<SqliteConnection, SqliteTransaction, T> query, SqliteConnection connection)
    {
        using var transaction = connection.BeginTransaction(deferred: true);
        return query(connection, transaction);
    }

    /// <summary>Whether SQLite reports that it may not write, or may not make the files that it needs beside the database.</summary>
    public static bool IsReadOnly(SqliteException exception) =>
        exception.SqliteErrorCode is SQLitePCL.raw.SQLITE_READONLY or SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_PERM;

    /// <summary>Whether anything has the name, even a link that leads nowhere, or a folder.</summary>
    private bool IsThere => System.IO.Path.Exists(Path) || new FileInfo(Path).LinkTarget is not null;

    private void Use(Action use, OperationContext context) => _ = Use(
        () =>
        {
            use();
            return true;
        },
        context);

    private T Use<T>(Func<T> use, OperationContext context)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return use();
            }
            catch (Exception exception) when (attempt < MostAttempts && IsDamage(exception))
            {
                SetAside(exception, context);
            }
            catch (SqliteException exception) when (attempt < MostAttempts && IsReadOnly(exception) && !IsThere)
            {
                // Deleted between two checks.
            }
        }
    }

    private SqliteConnection Open() => new FileInfo(Path).LinkTarget is null
        ? Prepare(SqliteConnections.OpenOwn(Path))
        : throw new InvalidDataException("it is a link, and links are not followed");

    private static SqliteConnection Prepare(SqliteConnection connection)
    {
        try
        {
            connection.DefaultTimeout = BusySeconds;
            _ = SQLitePCL.raw.sqlite3_busy_timeout(connection.Handle, BusySeconds * 1000);

            // The log is flushed when it is written back, as the last connection closes. A power cut may take the last events.
            SqliteConnections.Execute(connection, "PRAGMA synchronous = NORMAL");
            Recognise(connection);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Recognise(SqliteConnection connection)
    {
        var application = SqliteConnections.ScalarInt64(connection, "PRAGMA application_id");
        var version = SqliteConnections.ScalarInt64(connection, "PRAGMA user_version");
        if (application != HistorySchema.ApplicationId)
        {
            throw new InvalidDataException(SqliteConnections.ScalarInt64(connection, "PRAGMA page_count") == 0
                ? "it is empty"
                : "it is not a history of this module");
        }

        if (version > HistorySchema.Version)
        {
            throw new BackupException(
                BackupErrorId.HistoryUnreadable, BackupErrorCategory.InvalidOperation, connection.DataSource, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The history '{connection.DataSource}' was written by a later version of the module (schema {version}; this one knows {HistorySchema.Version}). Update the module."));
        }
    }

    private void Create()
    {
        // First of all, because nothing must be made if SQLite is too old.
        SqliteLibrary.EnsureLoaded();
        directory.RefuseLinks();
        if (IsThere)
        {
            return;
        }

        DurableFile.CreateDirectory(directory.Layout.StateFolder);
        using var held = FolderLock.Take(directory.Layout.StateFolder, LockTimeout, CancellationToken.None);
        if (IsThere)
        {
            return;
        }

        // SQLite would take the remaining log of a deleted history for the new one's.
        DurableFile.Discard(Path + "-wal");
        DurableFile.Discard(Path + "-shm");

        // In a folder that nobody else may write to, so that nobody can put another file there between two openings.
        using var folder = TemporaryFolder.Create(directory.Layout.TemporaryParent);
        var made = folder.FilePath(System.IO.Path.GetFileName(Path));
        DurableFile.CreatePrivate(made, FileShare.None).Dispose();
        using (var connection = SqliteConnections.Create(made))
        {
            SqliteConnections.Execute(connection, HistorySchema.Create);
        }

        DurableFile.Rename(made, Path);
    }

    private void SetAside(Exception reason, OperationContext context)
    {
        using (FolderLock.Take(directory.Layout.StateFolder, LockTimeout, CancellationToken.None))
        {
            // Another process may have done it already.
            if (!IsThere || !IsStillDamaged())
            {
                return;
            }

            DurableFile.Discard(DamagedPath + "-wal");
            DurableFile.Rename(Path, DamagedPath);
            DurableFile.Discard(Path + "-shm");
            if (File.Exists(Path + "-wal"))
            {
                DurableFile.Rename(Path + "-wal", DamagedPath + "-wal");
            }
        }

        context.Warn(
            $"The history of operations '{Path}' is damaged ({reason.Message.TrimEnd('.')}). It is kept as '{DamagedPath}', and a new history starts: its counters begin at 0, and no backup is affected.");
    }

    private bool IsStillDamaged()
    {
        try
        {
            using var connection = Open();
            foreach (var table in new[] { "event", "total", "latest_success" })
            {
                _ = SqliteConnections.ScalarInt64(connection, $"SELECT count(*) FROM {table}");
            }

            return SqliteConnections.Strings(connection, "PRAGMA integrity_check(1)") is not ["ok"];
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            return true;
        }
    }

    private static bool IsDamage(Exception exception) => exception is InvalidDataException
        or SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB or SQLitePCL.raw.SQLITE_ERROR }
        or SqliteException { SqliteExtendedErrorCode: ShortRead };
}
