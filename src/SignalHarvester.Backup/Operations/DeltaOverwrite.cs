using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations;

/// <summary>
/// Turns a database into the image of a backup by writing only the pages that differ: as a write-ahead log of one
/// transaction that is put beside it with one rename, and worked in by SQLite. Before the rename it is the old
/// database, after it the new one, whatever happens to this process.
/// </summary>
internal sealed class DeltaOverwrite(RestoreTarget target, OpenChain chain, TimeSpan lockTimeout, OperationContext context)
{
    private const int BusyPollMilliseconds = 100;
    private const int MostAttempts = 3;

    private readonly DatabaseLocks locks = new(target.Path, lockTimeout, context);

    /// <summary>Why a backup cannot be restored this way, or null where it can.</summary>
    public static string? WhyNot(RestoreTarget target, BackupMetadata backup, RestoreOptions options, OperationContext context)
    {
        if (!target.Exists || target.IsBlank)
        {
            return "there is no database at the destination";
        }

        if (backup is not { Verified: true, VerificationLevel: VerificationLevel.Full, Checksum: not null, PageSize: not null, PageCount: not null, IsSourceCorrupt: false })
        {
            return $"'{backup.Id}' has not passed a full test, and the differing pages alone cannot be tested before they are written";
        }

        try
        {
            using var database = LiveDatabase.Open(target.Path, options.LockTimeout, tolerateDamage: false, context.Cancellation);
            return database.PageSize == backup.PageSize ? null
                : string.Create(CultureInfo.InvariantCulture, $"the destination has pages of {database.PageSize} bytes, and the backup of {backup.PageSize}");
        }
        catch (BackupException exception)
        {
            return exception.Message.TrimEnd('.');
        }
    }

    /// <summary>Overwrites the database.</summary>
    /// <param name="keepSafe">Backs up what is there; called while no writer can commit.</param>
    /// <param name="verify">Whether to check the result with integrity_check.</param>
    /// <returns>The checks made of the backup and of the result.</returns>
    /// <exception cref="BackupException">Backup…: the backup is not good; DestinationLocked: others have the database open.</exception>
    public IReadOnlyList<VerificationCheck> Run(Action keepSafe, bool verify)
    {
        using var folder = TemporaryFolder.Create(target.Folder);
        List<VerificationCheck> checks;
        using (var connection = locks.Connect())
        {
            var wasWal = LeaveWalMode(connection);
            try
            {
                for (var attempt = 1; !TryHold(connection, keepSafe); attempt++)
                {
                    if (attempt == MostAttempts)
                    {
                        throw locks.Locked(null);
                    }
                }

                checks = Stage(connection, folder);
            }
            catch when (wasWal && !target.HasLog)
            {
                // Nothing was replaced: the database is left in the mode that it was in.
                _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
                _ = raw.sqlite3_exec(connection.Handle, "PRAGMA journal_mode = WAL");
                throw;
            }
        }

        checks.AddRange(WorkInAndInspect(verify));
        return checks;
    }

    /// <summary>Takes the database out of WAL mode, which succeeds only where nobody else has it open: their log would be replaced under them.</summary>
    /// <returns>Whether it was in WAL mode.</returns>
    private bool LeaveWalMode(SqliteConnection connection)
    {
        _ = raw.sqlite3_busy_timeout(connection.Handle, (int)Math.Min(lockTimeout.TotalMilliseconds, int.MaxValue));
        using var command = connection.CreateCommand();
        try
        {
            command.CommandText = "PRAGMA journal_mode";
            var wasWal = command.ExecuteScalar() as string == "wal";
            command.CommandText = "PRAGMA journal_mode = DELETE";
            if (command.ExecuteScalar() as string == "wal")
            {
                throw InUse(null);
            }

            _ = raw.sqlite3_busy_timeout(connection.Handle, BusyPollMilliseconds);
            return wasWal;
        }
        catch (SqliteException exception) when (SqliteResult.IsBusy(exception.SqliteErrorCode))
        {
            throw InUse(exception);
        }
        catch (SqliteException exception)
        {
            throw locks.Fault(exception.SqliteExtendedErrorCode, exception);
        }
    }

    private bool TryHold(SqliteConnection connection, Action keepSafe)
    {
        long stamp;
        using (locks.HoldWriters())
        {
            stamp = DatabaseLocks.ChangeCounter(connection);
            keepSafe();
        }

        locks.Take(connection, "BEGIN EXCLUSIVE");
        if (DatabaseLocks.ChangeCounter(connection) == stamp)
        {
            return true;
        }

        _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
        return false;
    }

    /// <summary>Puts the differing pages beside the database as its log, while nobody else can read it.</summary>
    private List<VerificationCheck> Stage(SqliteConnection connection, TemporaryFolder folder)
    {
        var backup = chain.Backup;
        var (pageSize, pageCount) = (backup.PageSize!.Value, backup.PageCount!.Value);
        var database = SqliteFile.Main(connection.Handle!);
        var presentPages = database.Length / pageSize;
        using var sparse = File.OpenHandle(folder.FilePath("differing"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        var image = new DeltaImage(database, pageSize, pageCount, sparse);
        var checks = new ImageVerifier(folder.Path, context).Unpack(chain, image, $"Comparing with {backup.Id}");
        if (checks.Find(check => !check.Passed) is { } failed)
        {
            throw VerificationChecks.Fault(backup, failed);
        }

        var same = image.Differing.Count == 0 && presentPages == pageCount;
        if (!same)
        {
            if (image.Differing.Count == 0)
            {
                // The log's commit carries the page count, so there must be one page.
                _ = image.Differing.Add(1);
                PieceWriter.Write(sparse, ReadPage(image, 1, pageSize), 0);
            }

            WriteLog(image, folder, pageSize, pageCount);
        }

        checks.Add(new VerificationCheck(
            "RestoredPages",
            true,
            string.Create(CultureInfo.InvariantCulture, $"{image.Differing.Count} of {pageCount} pages differed and were written")));
        return checks;
    }

    private static byte[] ReadPage(DeltaImage image, long page, int pageSize)
    {
        var content = new byte[pageSize];
        image.Read(content, (page - 1) * pageSize);
        return content;
    }

    private void WriteLog(DeltaImage image, TemporaryFolder folder, int pageSize, long pageCount)
    {
        var path = folder.FilePath("log");
        using (var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            using var flush = new SteadyFlush(handle);
            using var log = new StoredFileWriter(handle, flush, () => { });
            using var meter = context.Meter($"Restoring into {Path.GetFileName(target.Path)}", image.Differing.Count * pageSize);
            _ = WalWriter.Write(
                pageSize, pageCount, image.Differing.Pages(), (page, buffer) => image.Read(buffer, (page - 1) * pageSize), log, CompressionType.None, 0, meter, context.Cancellation);
            flush.Finish();
        }

        // From here on it is the new database, to whoever opens it.
        target.AdoptLog(path);
    }

    /// <summary>Lets SQLite move the pages from the log into the database, and holds the result against the backup.</summary>
    private List<VerificationCheck> WorkInAndInspect(bool verify)
    {
        using var connection = locks.Connect();
        WorkIn(connection);
        var version = SqliteLibrary.DataVersion(connection.Handle!);
        var same = Scan() == chain.Backup.Checksum;
        Look(connection);
        if (!same && SqliteLibrary.DataVersion(connection.Handle!) == version)
        {
            throw Failed("it is not the backup's image");
        }

        var checks = new List<VerificationCheck>
        {
            new("RestoredImage", true, same ? "the whole database is the backup's, byte for byte" : "another process has written to the restored database since, so it was not compared"),
        };
        if (verify)
        {
            var (check, findings) = IntegrityCheck.Run(connection);
            checks.Add(findings.Count > 0
                ? throw Failed($"{check} found: " + string.Join("; ", findings))
                : new VerificationCheck("RestoredIntegrity", true, $"{check} of the restored database is ok"));
        }

        return checks;
    }

    private void WorkIn(SqliteConnection connection)
    {
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            using var reader = command.ExecuteReader();
            if (reader.Read() && reader.GetInt64(0) != 0)
            {
                context.Warn($"'{target.Path}' is restored and in use already; SQLite moves the last pages from its log into it when it can.");
            }
        }
        catch (SqliteException exception)
        {
            throw new BackupException(
                BackupErrorId.RestoreVerificationFailed,
                BackupErrorCategory.WriteError,
                target.Path,
                $"'{target.Path}' is restored, but its pages still lie in '{target.Path}-wal', because SQLite could not move them ({exception.Message}). Do not delete that file. Free some space and open the database with any SQLite program, which moves them.",
                exception);
        }
    }

    private string Scan()
    {
        using var database = LiveDatabase.Open(target.Path, lockTimeout, tolerateDamage: false, context.Cancellation);
        using var image = database.PinImage(context.Cancellation);
        using var meter = context.Meter("Checking the restored database", database.PageCount * database.PageSize);
        var scan = ImageScan.Run(image, earlier: null, digests: null, meter, context.Cancellation);
        image.ConfirmUnchanged();
        return scan.Checksum;
    }

    private static void Look(SqliteConnection connection) => _ = raw.sqlite3_exec(connection.Handle, "PRAGMA schema_version");

    private BackupException Failed(string reason) => new(
        BackupErrorId.RestoreVerificationFailed,
        BackupErrorCategory.InvalidResult,
        target.Path,
        $"'{target.Path}' was restored, but its check failed: {reason}. Check the disk. The former state is in the newest safety backup (Get-SHBackup | Where IsSafety).");

    private BackupException InUse(Exception? inner) => new(
        BackupErrorId.DestinationLocked,
        BackupErrorCategory.ResourceBusy,
        target.Path,
        $"'{target.Path}' is open in another process, and -Delta needs it alone. It was not changed. Stop the application, or leave -Delta out: then the database is restored while it is in use.",
        inner);
}
