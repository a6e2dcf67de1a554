using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Sqlite.Snapshot;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// Copies an image over a database through SQLite, in one transaction: it works while others have the database open,
/// and a crash rolls it back. What is committed up to that transaction is in the safety backup, or the restore fails.
/// </summary>
internal sealed class DatabaseOverwrite(string path, string imagePath, BackupMetadata backup, TimeSpan lockTimeout, OperationContext context)
{
    private const int PagesAStep = 256;
    private const int MostAttempts = 3;

    private readonly DatabaseLocks locks = new(path, lockTimeout, context);

    /// <summary>Overwrites the database.</summary>
    /// <param name="keepSafe">Backs up what is there; called while no writer can
    /// commit, with whether it was in WAL mode before it was taken out of that.</param>
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
            // Nothing was overwritten: the database is left in the mode that it was in.
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
    /// A number that every commit of another connection changes, as this connection last saw the database. Runs no SQL:
    /// while the backup API holds a connection as its destination, it must not be used otherwise.
    /// </summary>
    private static long Stamp(SqliteConnection connection, bool isWal)
    {
        if (isWal)
        {
            return SqliteLibrary.DataVersion(connection.Handle!);
        }

        // Asked of the file, not of the connection, because setting another page size makes a connection forget what it saw.
        return DatabaseLocks.ChangeCounter(connection);
    }

    /// <summary>Lets a connection notice what others have changed.</summary>
    private static void Look(SqliteConnection connection) => _ = raw.sqlite3_exec(connection.Handle, "PRAGMA schema_version");

    private static string? JournalMode(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode";
        return command.ExecuteScalar() as string;
    }

    /// <summary>Takes the database out of WAL mode where SQLite could not overwrite it in that.</summary>
    /// <returns>Whether it was taken out of it.</returns>
    private bool MakeOverwritable(long imagePageSize, SqliteConnection target)
    {
        try
        {
            var targetPageSize = SqliteConnections.ScalarInt64(target, "PRAGMA page_size");
            if (imagePageSize == targetPageSize || JournalMode(target) != "wal")
            {
                return false;
            }

            // SQLite cannot change the page size under a write-ahead log. With nobody else there, the log can go.
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

    /// <summary>Reads the restored database back, and holds it against the image.</summary>
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
            // The image was checked as a database before, so the same pages are as sound.
            return [restored];
        }

        var report = IntegrityCheck.Run(target, context);
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
