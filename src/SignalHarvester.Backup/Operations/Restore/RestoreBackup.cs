using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// Restores a backup: unpack beside the destination, check, back up the old database, put the image in its place, check again.
/// The destination is untouched until the image is put in its place, and that step is atomic.
/// </summary>
internal static class RestoreBackup
{
    /// <summary>Returns what a restore would fetch, read and write. It opens nothing, so it does not compare the destination with the backup.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="destination">The file that must not be another database's place; null to skip this check.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">ChainBroken, BackupNotFound, BackupTypeUnsupported, DestinationIsOtherDatabase, and the Cloud… errors.</exception>
    public static RestorePlan Plan(BackupSource source, string? destination, CancellationToken cancellation)
    {
        RefuseRawLog(source.Backup);
        if (destination is not null)
        {
            OtherDatabase.RefusePlace(source, destination, cancellation);
        }

        var links = source.Chain(cancellation);
        return new RestorePlan([.. links.Reverse()], links.Sum(link => link.Size), links[^1].DatabaseSize);
    }

    /// <summary>Restores one backup. A backup in an object store is fetched with its chain first, and the fetched files are deleted afterwards.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="options">The destination, and the other options.</param>
    /// <param name="context">Clock, messages, cancellation. If the fetch is stopped, the next one does not fetch the received data again.</param>
    /// <returns>The backup as it is at its origin, with the checks of this restore.</returns>
    /// <exception cref="BackupException">Backup… : the backup is not good; Destination… : the
    /// destination cannot be written, or is another database; and the errors of the fetch.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; the destination is unchanged.</exception>
    public static BackupRestoreResult Run(BackupSource source, RestoreOptions options, OperationContext context)
    {
        var started = context.Clock.GetTimestamp();
        var result = source.Catalog.Store is { } store
            ? Fetched(source with { Backup = store.Get(source.Backup.Id, context.Cancellation) }, store, options, context)
            : Here(source, null, options, context);
        return result with { Elapsed = context.Clock.GetElapsedTime(started) };
    }

    /// <summary>Restores a backup on this machine.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="origin">The backup to return, if this one is only its fetched copy.</param>
    /// <param name="options">The destination, and the other options.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    private static BackupRestoreResult Here(BackupSource source, BackupMetadata? origin, RestoreOptions options, OperationContext context)
    {
        var (backup, directory) = (source.Backup, source.Catalog.Directory);
        RefuseRawLog(backup);
        var target = RestoreTarget.Resolve(options.Destination, options.AllowHardLink, context);
        if (!options.AllowOtherDatabase)
        {
            OtherDatabase.RefusePlace(source, target.Path, context.Cancellation);
        }

        var safety = new SafetyBackup(target, backup, options, context);
        using var chain = OpenChain.Open(backup, directory, context.Identities);
        var changed = false;
        try
        {
            var (checks, rows) = IsDelta(target, chain.Backup, options, context)
                ? (new DeltaOverwrite(target, chain, options.LockTimeout, context).Run(safety.Make, options.Verify), null)
                : Replace(chain, directory, target, safety, options, context);
            changed = true;
            safety.Prune();
            return new BackupRestoreResult((origin ?? chain.Backup) with { Verification = checks })
            {
                RestoredTo = target.Path,
                RestoredBytes = chain.Backup.DatabaseSize ?? new FileInfo(target.Path).Length,
                RestoredRows = rows,
                SafetyBackupId = safety.Made?.Id,
                SafetyBackupPath = safety.KeptPath,
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception,
                target.Path,
                BackupErrorId.DestinationNotWritable,
                changed
                    ? "The restore itself is complete; only its clean-up failed."
                    : "The destination was not changed. Check the permissions of its folder.");
        }
    }

    private static BackupRestoreResult Fetched(BackupSource source, StoreCatalog store, RestoreOptions options, OperationContext context)
    {
        if (!options.AllowOtherDatabase)
        {
            // Before anything is fetched, and with the backups in the store.
            OtherDatabase.RefusePlace(source, options.Destination, context.Cancellation);
        }

        if (options.Stream is { } plan)
        {
            using var at = StagedStream.Fetch(plan, store, source.Catalog.Home, context);
            var origin = at.Plan.Start.Id == source.Backup.Id ? source.Backup : at.Plan.Start;
            return Here(at.Source, origin, options, context) with { RestoredTransaction = plan.Transaction, RestoredMoment = plan.Time };
        }

        using var staged = StagedBackup.Fetch(source.Backup.Id, store, source.Catalog.Home, context);
        return Here(staged.Source, source.Backup, options, context);
    }

    private static bool IsDelta(RestoreTarget target, BackupMetadata backup, RestoreOptions options, OperationContext context)
    {
        try
        {
            if (options.Delta && DeltaOverwrite.WhyNot(target, backup, options, context) is { } reason)
            {
                context.Warn($"The whole database is written instead of only the differing pages, because {reason}.");
                return false;
            }
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.SourceLocked)
        {
            throw Locked(target, exception);
        }

        return options.Delta;
    }

    private static (IReadOnlyList<VerificationCheck> Checks, long? Rows) Replace(
        OpenChain chain, BackupDirectory? directory, RestoreTarget target, SafetyBackup safety, RestoreOptions options, OperationContext context)
    {
        RequireSpace(target, chain.ExpectedImageLength);
        using var folder = TemporaryFolder.Create(target.Folder);
        var image = folder.FilePath("image.db");
        var verifier = new ImageVerifier(folder.Path, context);
        var checks = Stage(chain, directory, image, options.Verify, verifier, context);
        checks.AddRange(Apply(chain.Backup, target, image, verifier.FoundFile, safety, options, context));
        return (checks, verifier.FoundContent?.RowCounts?.Values.Sum());
    }

    private static void RequireSpace(RestoreTarget target, long imageBytes) => FreeSpace.Require(
        target.Folder,
        // A restore through SQLite temporarily needs the space twice: for the unpacked image, and for the destination's journal or log.
        target.Exists && !target.IsBlank ? 2 * imageBytes : imageBytes,
        "the restored database");

    private static IReadOnlyList<VerificationCheck> Apply(
        BackupMetadata backup,
        RestoreTarget target,
        string image,
        FileIdentity? identity,
        SafetyBackup safety,
        RestoreOptions options,
        OperationContext context)
    {
        var overwrite = new DatabaseOverwrite(target.Path, image, backup, options.LockTimeout, context);
        if (target.IsBlank)
        {
            // SQLite takes it for an empty database, which an application may have just made and keep open: it must stay this file.
            if (target.HasLog)
            {
                safety.KeepRaw(Path.GetDirectoryName(image)!);
            }

            return overwrite.Run(_ => { }, options.Verify);
        }

        if (target.Exists && CanBeOpened(target, options.LockTimeout, context, out var tables))
        {
            RefuseDamagedImage(backup, target);
            if (!options.AllowOtherDatabase)
            {
                OtherDatabase.RefuseTables(backup, target.Path, tables, TablesOf(image, context));
            }

            try
            {
                return overwrite.Run(
                    wasWal =>
                    {
                        options.BeforeOverwrite?.Invoke(image);
                        safety.Make(wasWal);
                    },
                    options.Verify);
            }
            catch (TargetDamagedException)
            {
                context.Verbose($"'{target.Path}' is too damaged for SQLite to write to it, so it is replaced as a file.");
            }
        }

        if (target.Exists || target.HasCompanions)
        {
            safety.KeepRaw(Path.GetDirectoryName(image)!);
        }

        context.Cancellation.ThrowIfCancellationRequested();
        if (target.Exists && target.HasOtherNames)
        {
            return new LogOverwrite(target, image, options.LockTimeout, context).Run(restored => options.Verify ? overwrite.Inspect(restored) : []);
        }

        new RestoredAccess(target, backup, context).Give(image, identity, options.IsPrivate);
        target.Swap(image);
        return [];
    }

    private static List<VerificationCheck> Stage(
        OpenChain chain, BackupDirectory? directory, string image, bool verify, ImageVerifier verifier, OperationContext context)
    {
        var backup = chain.Backup;
        var checks = verifier.Unpack(chain, image, $"Restoring {backup.DisplayName}", durable: true);
        if (verify && checks.TrueForAll(check => check.Passed))
        {
            var json = directory?.ReadSidecar(backup.Id);
            checks.AddRange(verifier.Inspect(image, new ImageContent(json is null ? null : Sidecar.SchemaChecksum(json), backup.RowCounts)));
            if (verifier.FoundInconsistencies is { Count: > 0 } inconsistencies)
            {
                context.Warn(
                    $"The database in '{backup.Id}' had inconsistencies when it was backed up, and is restored with them: {string.Join("; ", inconsistencies)}.");
            }
        }

        if (!verify && !backup.IsSourceCorrupt && checks.TrueForAll(check => check.Passed) && WhyNoDatabase(image) is { } reason)
        {
            // Even -NoVerify puts nothing but a database in a database's place.
            checks.Add(new VerificationCheck(VerificationChecks.Integrity, false, reason));
        }

        return checks.Find(check => !check.Passed) is { } failed
            ? throw VerificationChecks.Fault(backup, failed)
            : checks;
    }

    private static string? WhyNoDatabase(string image)
    {
        Span<byte> header = stackalloc byte[DatabaseHeader.Size];
        using var file = File.OpenHandle(image);
        if (file.ReadFully(header, 0) != header.Length || !DatabaseHeader.HasMagic(header) || DatabaseHeader.PageSize(header) == 0)
        {
            return "it has no SQLite header";
        }

        var length = RandomAccess.GetLength(file);
        var pageSize = DatabaseHeader.PageSize(header);
        var stated = DatabaseHeader.PageCount(header) * (long)pageSize;
        return length % pageSize != 0 || (stated != 0 && stated != length)
            ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it has {length} bytes, but its header states {stated}")
            : null;
    }

    private static IReadOnlySet<SqliteName>? TablesOf(string image, OperationContext context)
    {
        using var connection = SqliteConnections.OpenImmutable(image, context.Cancellation);
        return TableNames.TryRead(connection, context.Cancellation);
    }

    private static bool CanBeOpened(RestoreTarget target, TimeSpan lockTimeout, OperationContext context, out IReadOnlySet<SqliteName>? tables)
    {
        tables = null;
        try
        {
            using var database = LiveDatabase.Open(target.Path, lockTimeout, tolerateDamage: true, context.Cancellation);
            tables = TableNames.TryRead(database.Connection, context.Cancellation);
            return true;
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.SourceNotSqlite or BackupErrorId.SourceEmpty
            or BackupErrorId.SourceCorrupt or BackupErrorId.SourceTruncated)
        {
            context.Verbose($"'{target.Path}' cannot be opened by SQLite, so it is replaced as a file: {exception.Message}");
            return false;
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.SourceEncrypted)
        {
            throw new BackupException(
                BackupErrorId.DestinationInvalid, BackupErrorCategory.InvalidOperation, target.Path,
                $"'{target.Path}' looks like an encrypted database, which an application may be using. It was not changed. Move it away first, or restore to a new file.",
                exception);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.SourceLocked)
        {
            throw Locked(target, exception);
        }
        catch (BackupException exception) when (exception.Category == BackupErrorCategory.PermissionDenied)
        {
            throw new BackupException(
                BackupErrorId.DestinationNotWritable, BackupErrorCategory.PermissionDenied, target.Path,
                $"'{target.Path}' cannot be opened: {exception.Message}", exception);
        }
    }

    private static BackupException Locked(RestoreTarget target, BackupException inner) => new(
        BackupErrorId.DestinationLocked, target.Path,
        $"'{target.Path}' was locked by another process for the whole -LockTimeout. It was not changed. Stop the application, or give a longer -LockTimeout.",
        inner);

    private static void RefuseDamagedImage(BackupMetadata backup, RestoreTarget target)
    {
        if (backup.IsSourceCorrupt)
        {
            throw new BackupException(
                BackupErrorId.BackupIntegrityFailed, BackupErrorCategory.InvalidOperation, backup.Id,
                $"'{backup.Id}' contains a database that was damaged when it was backed up, so it does not replace '{target.Path}', which SQLite can open. Restore it to a new file, with -NoVerify.");
        }
    }

    private static void RefuseRawLog(BackupMetadata backup)
    {
        if (backup.IsPredecessor && Formats.BackupFileName.TryParse(Path.GetFileName(backup.BackupPath)) is { IsWal: true })
        {
            throw new BackupException(
                BackupErrorId.BackupTypeUnsupported, backup.Id,
                $"'{backup.Id}' contains a write-ahead log, which is not a database by itself. Restore the full backup made before it, put the unpacked log beside the restored file as '<file>-wal', and open it with sqlite3.");
        }
    }
}
