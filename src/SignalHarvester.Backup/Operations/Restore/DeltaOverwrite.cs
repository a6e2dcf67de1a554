using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;
using SQLitePCL;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// Turns a database into the image of a backup by writing only the differing pages: as a write-ahead log of one transaction. One
/// rename puts the log beside the database, and SQLite applies it. Before the rename it is the old database, afterwards the new
/// one, whatever happens to this process.
/// </summary>
internal sealed class DeltaOverwrite(RestoreTarget target, OpenChain chain, TimeSpan lockTimeout, OperationContext context)
{
    private const int BusyPollMilliseconds = 100;
    private const int MostAttempts = 3;

    private readonly DatabaseLocks locks = new(target.Path, lockTimeout, context);
    private ChangeCounter? counter;

    /// <summary>Returns why a backup cannot be restored this way; null if it can.</summary>
    /// <exception cref="BackupException">
    /// SourceLocked: others have locked the database, which is no reason for or against this way. DestinationIsOtherDatabase.
    /// </exception>
    public static string? WhyNot(RestoreTarget target, BackupMetadata backup, RestoreOptions options, OperationContext context)
    {
        if (!target.Exists || target.IsBlank)
        {
            return "there is no database at the destination";
        }

        if (target.HasOtherNames)
        {
            return "the file has other names, or is mounted as a single file, and only this name would see the log with the pages";
        }

        if (backup is not
            {
                Verified: true, VerificationLevel: VerificationLevel.Full, Checksum: not null, PageSize: not null, PageCount: not null,
                IsSourceCorrupt: false
            })
        {
            return options.Stream is not null
                ? "a transaction of a stream is a backup that nobody has tested, and differing pages alone cannot be tested before they are written"
                : $"'{backup.Id}' has not passed a full test, and differing pages alone cannot be tested before they are written";
        }

        try
        {
            using var database = LiveDatabase.Open(target.Path, options.LockTimeout, tolerateDamage: false, context.Cancellation);
            return database.PageSize == backup.PageSize
                ? options.AllowOtherDatabase ? null : WhyNotComparable(database, target, backup, context)
                : string.Create(
                    CultureInfo.InvariantCulture, $"the destination has pages of {database.PageSize} bytes, but the backup has pages of {backup.PageSize}");
        }
        catch (BackupException exception) when (exception.ErrorId is not (BackupErrorId.SourceLocked or BackupErrorId.DestinationIsOtherDatabase))
        {
            return exception.Message.TrimEnd('.');
        }
    }

    /// <summary>
    /// Refuses another database by the recorded tables of the backup, because no image exists to read them from before it is
    /// written. If none are recorded, as for most encrypted backups, only the path shows that it is the same database.
    /// </summary>
    private static string? WhyNotComparable(LiveDatabase database, RestoreTarget target, BackupMetadata backup, OperationContext context)
    {
        if (backup.RowCounts is null)
        {
            return backup.DatabasePath is { } own && DatabasePlace.IsSame(own, target.Path) ? null
                : $"'{backup.Id}' does not record its tables, so it must be unpacked to see whether it is of the database at the destination";
        }

        OtherDatabase.RefuseTables(backup, target.Path, TableNames.TryRead(database.Connection, context.Cancellation), TableNames.Of(backup.RowCounts.Keys));
        return null;
    }

    /// <summary>Overwrites the database.</summary>
    /// <param name="keepSafe">Backs up the old database. It is called while no writer can commit, and told whether the database was in WAL
    /// mode before the restore left that mode.</param>
    /// <param name="verify">Whether to check the result with integrity_check.</param>
    /// <returns>The checks made of the backup and of the result.</returns>
    /// <exception cref="BackupException">Backup…: the backup is not good; DestinationLocked: others have the database open.</exception>
    public IReadOnlyList<VerificationCheck> Run(Action<bool> keepSafe, bool verify)
    {
        using var folder = TemporaryFolder.Create(target.Folder);
        List<VerificationCheck> checks;
        WalPosition? written;
        using (var connection = locks.Connect())
        {
            var wasWal = LeaveWalMode(connection);
            try
            {
                for (var attempt = 1; !TryHold(connection, () => keepSafe(wasWal)); attempt++)
                {
                    if (attempt == MostAttempts)
                    {
                        throw locks.Locked(null);
                    }
                }

                // Nobody else has had it open in WAL mode. In rollback-journal mode, an idle process may have it open.
                counter = wasWal ? null : new ChangeCounter((uint)DatabaseLocks.ChangeCounter(connection));
                (checks, written) = Stage(connection, folder);
            }
            catch when (wasWal && !target.HasLog)
            {
                // Nothing was replaced, so the database returns to its former mode.
                _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
                _ = raw.sqlite3_exec(connection.Handle, "PRAGMA journal_mode = WAL");
                throw;
            }
        }

        checks.AddRange(InspectAndCheckpoint(written, verify));
        return checks;
    }

    /// <summary>
    /// Takes the database out of WAL mode. That succeeds only if nobody else has it open; otherwise their log would be replaced while
    /// they use it.
    /// </summary>
    /// <returns>Whether it was in WAL mode.</returns>
    private bool LeaveWalMode(SqliteConnection connection)
    {
        _ = raw.sqlite3_busy_timeout(connection.Handle, (int)Math.Min(lockTimeout.TotalMilliseconds, int.MaxValue));
        using var command = connection.CreateCommand();
        try
        {
            var wasWal = JournalMode(connection) == "wal";
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

    private static string? JournalMode(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode";
        return command.ExecuteScalar() as string;
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
        if (JournalMode(connection) == "wal")
        {
            // Another process has started a log meanwhile, which the lock cannot prevent.
            throw InUse(null);
        }

        if (DatabaseLocks.ChangeCounter(connection) == stamp)
        {
            return true;
        }

        _ = raw.sqlite3_exec(connection.Handle, "ROLLBACK");
        return false;
    }

    /// <summary>Puts the differing pages beside the database as its log, while nobody else can read it.</summary>
    /// <returns>The checks made of the backup, and the end of the log; null if nothing differed and there is no log.</returns>
    private (List<VerificationCheck> Checks, WalPosition? Written) Stage(SqliteConnection connection, TemporaryFolder folder)
    {
        var backup = chain.Backup;
        var (pageSize, pageCount) = (backup.PageSize!.Value, backup.PageCount!.Value);
        var database = SqliteFile.Main(connection.Handle!);
        var presentPages = database.Length / pageSize;
        using var sparse = File.OpenHandle(folder.FilePath("differing"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        var image = new DeltaImage(database, pageSize, pageCount, sparse);
        var checks = new ImageVerifier(folder.Path, context).Unpack(chain, image, folder.Path, $"Comparing with {backup.DisplayName}");
        if (checks.Find(check => !check.Passed) is { } failed)
        {
            throw VerificationChecks.Fault(backup, failed);
        }

        WalPosition? written = null;
        if (image.Differing.Count > 0 || presentPages != pageCount)
        {
            if (!image.Differing.Contains(1))
            {
                // Page 1 gets the page count and the change counter. The log's commit carries the page count, so the log needs at least one page.
                PieceWriter.Write(sparse, ReadPage(image, 1, pageSize), 0);
                _ = image.Differing.Add(1);
            }

            written = WriteLog(image, folder, pageSize, pageCount);
        }

        checks.Add(new VerificationCheck(
            "RestoredPages",
            true,
            string.Create(CultureInfo.InvariantCulture, $"{image.Differing.Count} of {pageCount} pages differed and were written")));
        return (checks, written);
    }

    private static byte[] ReadPage(DeltaImage image, long page, int pageSize)
    {
        var content = new byte[pageSize];
        image.Read(content, (page - 1) * pageSize);
        return content;
    }

    private WalPosition WriteLog(DeltaImage image, TemporaryFolder folder, int pageSize, long pageCount)
    {
        var path = folder.FilePath("log");
        var frames = image.Differing.Count;
        Span<byte> lastFrame = stackalloc byte[WalFormat.FrameHeaderSize];
        using (var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
        {
            using var flush = new SteadyFlush(handle);
            using var log = new StoredFileWriter(handle, flush, () => { });
            using var meter = context.Meter($"Restoring into {Path.GetFileName(target.Path)}, from {chain.Backup.DisplayName}", frames * pageSize);
            _ = WalWriter.Write(pageSize, pageCount, image.Differing.Pages(), Read, log, CompressionType.None, 0, meter, context.Cancellation);
            FileOwnership.Copy(SqliteDescriptors.AccessOf(target.Path), handle);
            flush.Finish();
            _ = handle.ReadFully(lastFrame, WalFormat.FrameOffset(frames, pageSize));
        }

        // From here on it is the new database, for everyone who opens it.
        target.AdoptLog(path);
        return new WalIndexHeader(
            (uint)frames, (uint)pageCount, WalFormat.ReadChecksum(lastFrame[16..]), WalFormat.Salts(lastFrame[8..]), Changes: 0).Position!;

        void Read(long page, Span<byte> buffer)
        {
            image.Read(buffer, (page - 1) * pageSize);
            if (page == 1)
            {
                counter?.Advance(buffer);
            }
        }
    }

    /// <summary>Compares the result with the backup, and lets SQLite move the pages from the log into the database.</summary>
    private List<VerificationCheck> InspectAndCheckpoint(WalPosition? written, bool verify)
    {
        var checks = new List<VerificationCheck>();
        if (written is not null)
        {
            checks.Add(new VerificationCheck("RestoredImage", true, Compare(written)));
        }

        using var connection = locks.Connect();
        Checkpoint(connection, target.Path, context);
        if (verify)
        {
            _ = raw.sqlite3_busy_timeout(connection.Handle, (int)Math.Min(lockTimeout.TotalMilliseconds, int.MaxValue));
            var report = DatabaseCheck.Run(connection, context);
            checks.Add(report.Damage.Count > 0
                ? throw Failed(report.Summary)
                : new VerificationCheck("RestoredIntegrity", true, report.Summary));
        }

        return checks;
    }

    /// <summary>Lets SQLite move the pages of a log beside a database into the database.</summary>
    /// <exception cref="BackupException">RestoreVerificationFailed: the pages stay in the log.</exception>
    internal static void Checkpoint(SqliteConnection connection, string path, OperationContext context)
    {
        try
        {
            using var command = connection.CreateCommand();

            // TRUNCATE is wrong here, because SQLite takes an empty log for no log. If the database's header says rollback-journal mode, the
            // next process would use that mode while others already use the log, and one would overwrite the other's commits. The last
            // process to close the database deletes the log: this one, if nobody else has it open.
            command.CommandText = "PRAGMA wal_checkpoint(FULL)";
            using var reader = command.ExecuteReader();
            if (reader.Read() && reader.GetInt64(0) != 0)
            {
                context.Warn($"'{path}' is restored and already in use; SQLite moves the last pages from its log into it when it can.");
            }
        }
        catch (SqliteException exception)
        {
            throw new BackupException(
                BackupErrorId.RestoreVerificationFailed, BackupErrorCategory.WriteError, path,
                $"'{path}' is restored, but its pages are still in '{path}-wal', because SQLite could not move them ({exception.Message}). Do not delete that file. Free some space and open the database with any SQLite program, which moves them.",
                exception);
        }
    }

    /// <summary>Compares the database, as SQLite reads it now, with the backup, as long as nobody has committed anything to it.</summary>
    private string Compare(WalPosition written)
    {
        try
        {
            using var database = LiveDatabase.Open(target.Path, lockTimeout, tolerateDamage: false, context.Cancellation);
            using var pinned = database.PinImage(context.Cancellation);
            using var image = counter is null ? pinned : new ImageWithFormerCounter(pinned, counter);
            using var meter = context.Meter("Checking the restored database", image.Length);
            var scan = ImageScan.Run(image, new ImageScanOptions { HasChecksum = true }, meter, context.Cancellation);
            image.ConfirmUnchanged();
            return (scan.Checksum == chain.Backup.Checksum, database.WalPosition == written) switch
            {
                (true, _) =>
                    $"the whole database equals the backup, byte for byte{(counter is { IsAdvanced: true } ? " except its change counter" : string.Empty)}",
                (false, false) => "another process has written to the restored database since, so it was not compared",
                (false, true) => throw Failed("it differs from the backup's image"),
            };
        }
        catch (Exception exception) when (exception is SnapshotLostException or BackupException { ErrorId: BackupErrorId.SourceLocked })
        {
            return $"another process is already using the restored database, so it was not compared ({exception.Message})";
        }
    }

    private BackupException Failed(string reason) => new(
        BackupErrorId.RestoreVerificationFailed, target.Path,
        $"'{target.Path}' was restored, but its check failed: {reason}. Check the disk. The former state is in the newest safety backup (Get-SHBackup | Where IsSafety).");

    private BackupException InUse(Exception? inner) => new(
        BackupErrorId.DestinationLocked, target.Path,
        $"'{target.Path}' is open in another process, but -Delta needs exclusive access. It was not changed. Stop the application, or omit -Delta to restore the database while it is in use.",
        inner);
}
