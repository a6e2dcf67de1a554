using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations;

/// <summary>
/// Makes a full backup. The way of the data, top to bottom: snapshot, hash, compress, write, flush, check, publish.
/// </summary>
public static class CreateBackup
{
    private const int PinnedAttempts = 2;

    /// <summary>Backs up one database.</summary>
    /// <param name="databasePath">The database file.</param>
    /// <param name="directory">Where the backup goes; made if it is not there.</param>
    /// <param name="options">How.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>The published backup.</returns>
    /// <exception cref="BackupException">Source…, Directory…, InsufficientSpace, WriteFailed, BackupCorrupt and its kin.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing is left behind.</exception>
    public static BackupMetadata Run(string databasePath, BackupDirectory directory, CreateBackupOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        var level = Codec.ResolveLevel(options.Compression, options.CompressionLevel);
        var (compression, fallbackReason) = UsableCodec(options.Compression, context);
        if (compression != options.Compression)
        {
            level = Codec.ResolveLevel(compression, null);
        }

        var path = SourcePath.Resolve(databasePath, context);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var stepped = options.ForceStepped || attempt > PinnedAttempts;
                return Attempt(path, directory, options, compression, level, fallbackReason, stepped, context);
            }
            catch (SnapshotLostException exception) when (attempt <= PinnedAttempts)
            {
                // Begun anew with a new connection: whatever held the old snapshot still no longer does.
                context.Warn($"The snapshot of '{path}' was lost ({exception.Message}), and is taken again{(attempt == PinnedAttempts ? " with SQLite's backup API" : string.Empty)}.");
            }
            catch (SnapshotLostException exception)
            {
                throw new BackupException(
                    BackupErrorId.SnapshotLost,
                    BackupErrorCategory.InvalidResult,
                    path,
                    $"'{path}' changed while it was copied, in a way that SQLite's locks should prevent ({exception.Message}). No backup was kept. Check that no other machine writes to the file over a network, then run the backup again.",
                    exception);
            }
        }
    }

    private static BackupMetadata Attempt(
        string path,
        BackupDirectory directory,
        CreateBackupOptions options,
        CompressionType compression,
        int level,
        string? fallbackReason,
        bool stepped,
        OperationContext context)
    {
        var started = context.Clock.GetTimestamp();
        using var database = LiveDatabase.Open(path, options.LockTimeout, options.TolerateDamage, context.Cancellation);
        var moment = context.Clock.GetUtcNow();
        if (!database.IsWal)
        {
            context.Verbose($"'{path}' is in rollback-journal mode: writers wait until it is copied. In WAL mode they would not.");
        }

        using var partial = directory.Begin(moment, id => BackupFileName.Full(id, compression), context.Cancellation, context.Warn);
        try
        {
            var length = database.PageCount * database.PageSize;
            RequireSpace(directory, database, compression, options.Verify, length);
            using var digests = PageDigestFile.Create(directory.DigestFolder, path, partial.Name.Id, database.PageSize, database.PageCount);

            using var flush = new SteadyFlush(partial.Handle);
            StoredImage stored;
            string method;
            long missingPages;
            using (var meter = context.Meter($"Backing up {Path.GetFileName(path)}", length))
            {
                (stored, method, missingPages) = Store(database, directory, partial, flush, digests, compression, level, stepped, meter, context);
            }

            var content = options.Verify ? SourceContent(database, context) : null;
            database.Dispose(); // The snapshot has done its work: from here on nobody waits for us, and no log grows.
            flush.Finish();
            var backup = new BackupMetadata
            {
                Id = partial.Name.Id,
                Type = BackupType.Full,
                Timestamp = moment,
                DatabasePath = path,
                BackupPath = partial.FinalPath,
                BackupDirectory = directory.Path,
                Compression = compression,
                Size = stored.StoredLength,
                DatabaseSize = stored.ImageLength,
                PageSize = database.PageSize,
                PageCount = stored.ImageLength / database.PageSize,
                Checksum = stored.Checksum,
                StoredChecksum = stored.StoredChecksum,
                RetentionPolicy = options.RetentionPolicy,
                Description = options.Description,
                Metadata = Notes(options.Metadata, method, fallbackReason),
                RowCounts = content?.RowCounts,
                IsSafety = options.IsSafety,
                IsSourceCorrupt = missingPages > 0 || content is { SchemaChecksum: null },
                Duration = context.Clock.GetElapsedTime(started),
                Clock = context.Clock,
            };
            if (options.Verify)
            {
                backup = Check(backup, content!, partial, directory, options, context);
            }

            directory.Publish(partial, backup, content?.SchemaChecksum, digests, context.Cancellation);
            return backup;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(exception, partial.FinalPath, BackupErrorId.DirectoryNotWritable, "Give a directory that this account may write to with -BackupDirectory.");
        }
    }

    private static (CompressionType Usable, string? Reason) UsableCodec(CompressionType wanted, OperationContext context)
    {
        if (Codec.WhyUnusable(wanted) is not { } reason)
        {
            return (wanted, null);
        }

        context.Warn($"{wanted} compression cannot be used ({reason}); gzip is used instead. Reinstall the module to mend this.");
        return (CompressionType.Gzip, reason);
    }

    private static void RequireSpace(BackupDirectory directory, LiveDatabase database, CompressionType compression, bool verify, long length)
    {
        // Uncompressed, the size is known; compressed, the newest backup of the same database tells what to expect.
        var stored = length;
        if (compression != CompressionType.None)
        {
            var newest = directory.List().Backups.FirstOrDefault(backup =>
                backup.DatabasePath == database.Path && backup.Compression == compression && backup is { Type: BackupType.Full, DatabaseSize: > 0 });
            stored = newest is null ? length / 20 : (long)(0.9 * length * newest.Size / newest.DatabaseSize!.Value);
        }

        FreeSpace.Require(
            directory.Path,
            verify ? stored + length : stored,
            verify ? "the backup and the copy that it is checked with" : "the backup");
    }

    private static (StoredImage Stored, string Method, long MissingPages) Store(
        LiveDatabase database,
        BackupDirectory directory,
        PartialBackup partial,
        SteadyFlush flush,
        PageDigestFile digests,
        CompressionType compression,
        int level,
        bool stepped,
        ProgressMeter meter,
        OperationContext context)
    {
        var watch = new DiskWatch(database.Path);
        if (!stepped)
        {
            using var image = database.PinImage(context.Cancellation);
            return Write(image);
        }

        FreeSpace.Require(directory.Path, database.PageCount * database.PageSize, "the copy that SQLite's backup API makes");
        using var folder = TemporaryFolder.Create(directory.TemporaryParent);
        using var copy = SteppedImage.Copy(database, folder.FilePath("copy.db"), watch.Check, context.Cancellation);
        database.ConfirmUnchanged();
        return Write(copy);

        (StoredImage Stored, string Method, long MissingPages) Write(IDatabaseImage image)
        {
            var stored = ImageWriter.Write(image, partial.Handle, flush, watch, digests, compression, level, meter, context.Cancellation);
            image.ConfirmUnchanged();
            return (stored, image.Method, image.MissingPages);
        }
    }

    private static ImageContent SourceContent(LiveDatabase database, OperationContext context)
    {
        try
        {
            return database.Query(ImageContent.Read, context.Cancellation);
        }
        catch (BackupException) when (database.ToleratesDamage)
        {
            // Damaged beyond being read by SQL: the marked backup records no content to compare with.
            return new ImageContent(null, null);
        }
    }

    private static BackupMetadata Check(
        BackupMetadata backup,
        ImageContent content,
        PartialBackup partial,
        BackupDirectory directory,
        CreateBackupOptions options,
        OperationContext context)
    {
        var checks = new ImageVerifier(directory.TemporaryParent, context).Verify(backup, content, partial.Handle, $"Verifying {backup.Id}");
        var failed = checks.FirstOrDefault(check => !check.Passed);
        if (failed is null)
        {
            return backup with
            {
                Verified = true,
                VerificationLevel = VerificationLevel.Full,
                VerificationTimestamp = context.Clock.GetUtcNow(),
                Verification = checks,
            };
        }

        // The image is what was read, so what is wrong with it is wrong with the source.
        var sourceIsDamaged = failed.Check is VerificationChecks.Integrity or VerificationChecks.Schema or VerificationChecks.RowCounts
            && checks.First(check => check.Check == VerificationChecks.ImageChecksum).Passed;
        if (!sourceIsDamaged)
        {
            throw VerificationChecks.Fault(backup, failed);
        }

        if (!options.TolerateDamage)
        {
            throw new BackupException(
                BackupErrorId.SourceCorrupt,
                BackupErrorCategory.InvalidData,
                backup.DatabasePath,
                $"'{backup.DatabasePath}' is damaged: {failed.Detail}. No backup was kept, so that the good ones before it stay the newest. Restore one of them, or add -Force to keep this state as it is, marked as damaged.");
        }

        context.Warn($"'{backup.DatabasePath}' is damaged: {failed.Detail}. It was backed up as it is, because of -Force, and is marked so.");
        return backup with
        {
            IsSourceCorrupt = true,
            VerificationTimestamp = context.Clock.GetUtcNow(),
            Verification = checks,
        };
    }

    private static Dictionary<string, object?> Notes(IReadOnlyDictionary<string, object?> given, string method, string? fallbackReason)
    {
        var notes = new Dictionary<string, object?>(given, StringComparer.Ordinal) { ["snapshot_method"] = method };
        if (fallbackReason is not null)
        {
            notes["compression_fallback"] = fallbackReason;
        }

        return notes;
    }
}
