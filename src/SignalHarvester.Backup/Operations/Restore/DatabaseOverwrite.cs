using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// Copies an image over a database through SQLite, in one transaction. It works while others have the database open, and a
/// crash rolls it back. The safety backup holds everything that was committed before that transaction, or the restore fails.
/// </summary>
internal sealed class DatabaseOverwrite(string path, string imagePath, BackupMetadata backup, TimeSpan lockTimeout, OperationContext context)
{
    private const int PagesAStep = 256;
    private const int MostAttempts = 3;

    private readonly DatabaseLocks locks = new(path, lockTimeout, context);

    /// <summary>Overwrites the database.</summary>
    /// <param name="keepSafe">Backs up the old database. It is called while no writer can commit, and told whether the database was in WAL
    /// mode before the restore left that mode.</param>
    /// <param name="verify">Whether to read the result back and check it.</param>
    /// <returns>The checks made of the result.</returns>
    /// <exception cref="BackupException">DestinationLocked, DestinationPageSizeDiffers,
    /// DestinationNotWritable, RestoreVerificationFailed, and those of the safety backup.</exception>
    /// <exception cref="TargetDamagedException">The database is too damaged for SQLite to write to it.</exception>
    public IReadOnlyList<VerificationCheck> Run(Action<bool> keepSafe, bool verify)
    {
        using var image = SqliteConnections.OpenImmutable(imagePath, context.Cancellation);
        var pageSize = SqliteConnections.ScalarInt64(image, "PRAGMA page_size");
        using var target = locks.Connect();
        var leftWal = MakeOverwritable(pageSize, target);
        try
        {
            for (var attempt = 1; !TryCopy(image, target, pageSize, () => keepSafe(leftWal)); attempt++)
            {
                if (attempt == MostAttempts)
                {
                    throw locks.Locked(null);
                }
            }
        }
        catch when (leftWal)
        {
            // Nothing was overwritten, so the database returns to its former mode.
            _ = raw.sqlite3_exec(target.Handle, "PRAGMA journal_mode = WAL");
            throw;
        }

        return verify ? Inspect(target) : [];
    }

    private bool TryCopy(SqliteConnection image, SqliteConnection target, long pageSize, Action keepSafe)
    {
        bool isWal;
        long stamp;
        using (locks.HoldWriters())
        {
            isWal = JournalMode(target) == "wal";
            Look(target);
            stamp = Stamp(target, isWal);
            keepSafe();
        }

        context.Cancellation.ThrowIfCancellationRequested();
        using var meter = context.Meter($"Restoring into {Path.GetFileName(path)}, from {backup.DisplayName}", new FileInfo(imagePath).Length);
        return SqliteCopy.Run(
            image.Handle!,
            target.Handle!,
            PagesAStep,
            lockTimeout,
            () => Stamp(target, isWal) == stamp,
            (done, _) => meter.MoveTo(done * pageSize),
            code => throw locks.Fault(code),
            context.Cancellation);
    }

    /// <summary>
    /// Returns a number that every commit of another connection changes, as this connection last saw the database. It runs no SQL,
    /// because a connection must not be used otherwise while it is the backup API's destination.
    /// </summary>
    private static long Stamp(SqliteConnection connection, bool isWal)
    {
        if (isWal)
        {
            return SqliteLibrary.DataVersion(connection.Handle!);
        }

        // It is read from the file, not from the connection, because a connection forgets what it saw when another page size is set.
        return DatabaseLocks.ChangeCounter(connection);
    }

    /// <summary>Lets a connection notice the changes of others.</summary>
    private static void Look(SqliteConnection connection) => _ = raw.sqlite3_exec(connection.Handle, "PRAGMA schema_version");

    private static string? JournalMode(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode";
        return command.ExecuteScalar() as string;
    }

    /// <summary>Takes the database out of WAL mode if SQLite cannot overwrite it in that mode.</summary>
    /// <returns>Whether it left WAL mode.</returns>
    private bool MakeOverwritable(long imagePageSize, SqliteConnection target)
    {
        try
        {
            var targetPageSize = SqliteConnections.ScalarInt64(target, "PRAGMA page_size");
            if (imagePageSize == targetPageSize || JournalMode(target) != "wal")
            {
                return false;
            }

            // SQLite cannot change the page size under a write-ahead log. If nobody else has the database open, the log can be removed.
            using var command = target.CreateCommand();
            command.CommandText = "PRAGMA journal_mode = DELETE";
            if (command.ExecuteScalar() as string == "wal")
            {
                throw PageSizeDiffers(imagePageSize, targetPageSize, null);
            }

            return true;
        }
        catch (SqliteException exception) when (SqliteResult.IsBusy(exception.SqliteErrorCode))
        {
            throw PageSizeDiffers(imagePageSize, null, exception);
        }
        catch (SqliteException exception)
        {
            throw locks.Fault(exception.SqliteExtendedErrorCode, exception);
        }
    }

    /// <summary>Reads the restored database back, and compares it with the image.</summary>
    /// <exception cref="BackupException">RestoreVerificationFailed.</exception>
    public IReadOnlyList<VerificationCheck> Inspect(SqliteConnection target)
    {
        Look(target);
        var versionBefore = SqliteLibrary.DataVersion(target.Handle!);
        _ = raw.sqlite3_busy_timeout(target.Handle, (int)Math.Min(lockTimeout.TotalMilliseconds, int.MaxValue));
        string compared;
        var isEqual = false;
        try
        {
            var difference = ImageComparer.FirstDifference(imagePath, path, lockTimeout, context.Cancellation);
            Look(target);
            isEqual = difference is null;
            compared = (difference, SqliteLibrary.DataVersion(target.Handle!) == versionBefore) switch
            {
                (null, _) => "every page equals the backup's",
                (_, false) => "another process has written to the restored database since, so its pages were not compared",
                ({ } page, true) => throw Failed(string.Create(CultureInfo.InvariantCulture, $"page {page} differs from the backup's")),
            };
        }
        catch (Exception exception) when (exception is SnapshotLostException or BackupException { ErrorId: BackupErrorId.SourceLocked })
        {
            compared = $"another process is already using the restored database, so its pages were not compared ({exception.Message})";
        }

        var restored = new VerificationCheck("RestoredImage", true, compared);
        if (isEqual)
        {
            // The image was checked as a database before, so equal pages are as sound.
            return [restored];
        }

        var report = DatabaseCheck.Run(target, context);
        return report.Damage.Count > 0 ? throw Failed(report.Summary) : [new VerificationCheck("RestoredIntegrity", true, report.Summary), restored];
    }

    private BackupException Failed(string reason) => new(
        BackupErrorId.RestoreVerificationFailed, path,
        $"'{path}' was restored, but its check failed: {reason}. Check the disk. The former state is in the newest safety backup (Get-SHBackup | Where IsSafety).");

    private BackupException PageSizeDiffers(long image, long? target, Exception? inner) => new(
        BackupErrorId.DestinationPageSizeDiffers, path, string.Create(
            CultureInfo.InvariantCulture,
            $"'{path}' is in use in WAL mode with pages of {(target is { } size ? $"{size} bytes" : "another size")}, but the backup has pages of {image}; SQLite cannot overwrite it in place. Stop the application and restore again, or restore to a new file."),
        inner);
}
