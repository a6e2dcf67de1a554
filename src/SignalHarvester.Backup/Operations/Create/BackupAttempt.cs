using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>One attempt to make a backup, from the choice of the parent to the publishing.</summary>
/// <param name="path">The database's full path.</param>
/// <param name="directory">Where the backup goes.</param>
/// <param name="options">The requested options.</param>
/// <param name="compression">A usable codec.</param>
/// <param name="level">The codec's level.</param>
/// <param name="codecFallback">Why it is not the requested codec; null if it is.</param>
/// <param name="stepped">Whether SQLite's backup API copies the database.</param>
/// <param name="fullReason">Why an earlier attempt to build on a parent failed; null if none did.</param>
/// <param name="context">Clock, messages, cancellation.</param>
internal sealed class BackupAttempt(
    string path,
    BackupDirectory directory,
    CreateBackupOptions options,
    CompressionType compression,
    int level,
    string? codecFallback,
    bool stepped,
    string? fullReason,
    OperationContext context)
{
    private string? fullReason = fullReason;
    private string? walFallback;
    private bool isTruncated;

    /// <summary>Makes the backup.</summary>
    /// <exception cref="SnapshotLostException">The database changed while it was read.</exception>
    /// <exception cref="ParentLostException">The parent was removed, or is damaged.</exception>
    public BackupMetadata Run()
    {
        var started = context.Clock.GetTimestamp();
        var parent = ChooseParent();
        using var parentDigests = parent is null ? null : ParentDigests.Open(parent, directory, context);
        using var database = options.Followed?.Open(Open) ?? Open();
        var moment = context.Clock.GetUtcNow();
        if (!database.IsWal)
        {
            context.Verbose($"'{path}' is in rollback-journal mode, so writers wait until it is copied. In WAL mode they would not wait.");
        }

        if (parent is not null && parent.PageSize != database.PageSize)
        {
            MakeFull(string.Create(
                CultureInfo.InvariantCulture, $"the database now has pages of {database.PageSize} bytes, but '{parent.Id}' has pages of {parent.PageSize}"));
            parent = null;
        }

        var encryption = options.Encryption is { } to ? FileEncryption.Create(to) : null;
        using var partial = directory.Begin(
            moment, id => BackupFileName.For(id, ExpectedType(parent), compression, encryption is not null), context.Cancellation, context.Warn);
        try
        {
            RequireSpace(database, isFull: parent is null);
            using var digests = PageDigestFile.Create(
                directory.Layout.DigestFolder, directory.Layout.DigestFolder, path, partial.Name.Id, database.PageSize, database.PageCount,
                encryption is null ? null : PageDigestCipher.OpenOrCreate(reason =>
                    context.Verbose($"The next backup of '{path}' will be a full one, because the page digests of this one cannot be kept: {reason}.")));
            using var flush = new SteadyFlush(partial.Handle);
            var writer = new ContentWriter(database, partial, digests, flush, compression, level, encryption, context);
            using var copy = CopyToCheck(database, parent);
            var stored = Store(writer, database, parent, parentDigests, copy);
            isTruncated = stored.MissingPages > 0;
            partial.Name = BackupFileName.For(partial.Name.Id, stored.Type, compression, encryption is not null);

            // Counting rows reads the whole database, which a WAL backup must avoid.
            var content = options.Verify && stored.Type != BackupType.Wal ? SourceContent(database) : null;
            var backup = WithoutOverlongCounts(Describe(database, partial, moment, stored, content));
            database.Dispose(); // The snapshot has done its work: from here on nobody waits for us, and no log grows.
            flush.Finish();
            backup = backup with { Duration = context.Clock.GetElapsedTime(started) };
            if (options.Verify)
            {
                backup = Check(backup, content, stored, copy, partial, encryption);
            }

            return directory.Publish(partial, backup, stored.Parent, content?.SchemaChecksum, digests, context.Cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception, partial.FinalPath, BackupErrorId.DirectoryNotWritable, "Give a directory that this account may write to with -BackupDirectory.");
        }
    }

    private LiveDatabase Open() => LiveDatabase.Open(path, options.LockTimeout, options.TolerateDamage, context.Cancellation);

    private BackupMetadata? ChooseParent()
    {
        if (fullReason is not null)
        {
            return null;
        }

        var (parent, reason, isForOthers) = ParentChoice.Choose(path, directory, options, context.Identities);
        if (isForOthers)
        {
            context.Warn($"A full backup of '{path}' is made, because {reason}.");
        }

        if (reason is not null)
        {
            MakeFull(reason);
        }

        return parent;
    }

    private void MakeFull(string reason)
    {
        fullReason = reason;
        context.Verbose($"A full backup of '{path}' is made, because {reason}.");
    }

    private BackupType ExpectedType(BackupMetadata? parent) => parent is null ? BackupType.Full
        : options.Strategy == BackupStrategy.Wal ? BackupType.Wal
        : BackupType.Incremental;

    private void RequireSpace(LiveDatabase database, bool isFull)
    {
        // Without compression the size is known. With it, the newest backup of the same database shows what to expect. The amount of
        // changes is unknown before they are read, and mostly small.
        var length = database.PageCount * database.PageSize;
        var stored = isFull ? length : 0;
        if (isFull && compression != CompressionType.None)
        {
            var newest = directory.List().Backups.FirstOrDefault(backup =>
                backup.DatabasePath == database.Path && backup.Compression == compression && backup is { Type: BackupType.Full, DatabaseSize: > 0 });
            stored = newest is null ? length / 20 : (long)(0.9 * length * newest.Size / newest.DatabaseSize!.Value);
        }

        FreeSpace.Require(
            directory.Path,
            options.Verify && options.Strategy != BackupStrategy.Wal ? stored + length : stored,
            options.Verify ? "the backup and the copy for its check" : "the backup");
    }

    /// <summary>
    /// Makes a place for a copy of the snapshot, if the check of an increment can use one instead of unpacking its chain. Not in
    /// rollback-journal mode, where writers wait while the copy is written.
    /// </summary>
    private SnapshotCopy? CopyToCheck(LiveDatabase database, BackupMetadata? parent) =>
        parent is not null && options.Verify && options.Strategy != BackupStrategy.Wal && !stepped && !context.IsThorough
            && database.IsWal && MayHavePlainCopy && IncrementVerifier.IsProved(parent)
            ? SnapshotCopy.Create(directory.Layout.TemporaryParent, database.PageSize, database.PageCount * database.PageSize)
            : null;

    /// <summary>Whether the content may lie on disk unencrypted for a check: not if it is encrypted to other people's keys.</summary>
    private bool MayHavePlainCopy => options.Encryption is null || context.Identities.Opens(options.Encryption);

    private StoredContent Store(
        ContentWriter writer, LiveDatabase database, BackupMetadata? parent, PageDigestSource? parentDigests, SnapshotCopy? copy)
    {
        if (parent is not null && options.Strategy == BackupStrategy.Wal && Tail(database, parent) is { } tail)
        {
            context.Verbose(string.Create(
                CultureInfo.InvariantCulture, $"The log of '{path}' contains {tail.Pages.Count} pages committed since the parent '{parent.Id}'."));
            return writer.WriteTail(tail, parent, parentDigests!);
        }

        using var folder = stepped ? TemporaryFolder.Create(directory.Layout.TemporaryParent) : null;
        using var found = folder is null ? database.PinImage(context.Cancellation) : CopyStepped(database, folder.FilePath("copy.db"));
        var image = options.WasWal ? new ImageInWalMode(found) : found;
        if (options.Followed is { Snapshot.Since: { } since } followed && since != parent?.Id && !stepped)
        {
            Explain(followed, since, image);
        }

        if (parent is null)
        {
            return writer.WriteFull(image, scan: null, options.Verify);
        }

        var isKnown = options.Followed?.Snapshot is { Since: { } before } && before == parent.Id;
        if (isKnown && options.Followed is { ReadsAll: false, Snapshot.Changed: { } known }
            && known.TakeWhile(page => page <= image.PageCount).ToList() is { Count: > 0 } pages && pages.Count <= image.PageCount / 2 && !options.Verify
            && ContentWriter.WhyIncomplete(pages, parent, image.PageCount) is null)
        {
            context.Verbose(string.Create(
                CultureInfo.InvariantCulture, $"{pages.Count} of {image.PageCount} pages of '{path}' were seen to change since the parent '{parent.Id}'."));
            return writer.WriteKnown(image, pages, parent, parentDigests!);
        }

        var scan = writer.Scan(image, parentDigests!, copy, hasChecksum: options.Verify);
        if (isKnown && !stepped)
        {
            // The first page of a stepped copy is not the database's own.
            options.Followed!.Explain(scan.Changed.Pages());
        }

        if (scan.Changed.Count <= image.PageCount / 2)
        {
            context.Verbose(string.Create(
                CultureInfo.InvariantCulture, $"{scan.Changed.Count} of {image.PageCount} pages of '{path}' changed since the parent '{parent.Id}'."));
            return writer.WriteChanges(image, scan, parent);
        }

        MakeFull(string.Create(CultureInfo.InvariantCulture, $"{scan.Changed.Count} of {image.PageCount} pages changed since '{parent.Id}'"));
        copy?.Dispose();
        RequireSpace(database, isFull: true);
        return writer.WriteFull(image, scan, options.Verify);
    }

    /// <summary>
    /// Holds the database against its transactions where the new backup does not build on the one since which they are known: it takes every page as it is.
    /// </summary>
    private void Explain(FollowedBackup followed, string since, IDatabaseImage image)
    {
        using var digests = directory.TryGet(since) is { } reference && reference.PageSize == image.PageSize
            ? ParentDigests.TryOpenKept(reference, directory)
            : null;
        if (digests is null)
        {
            context.Verbose($"'{path}' is not held against its transactions this time: the page digests of '{since}' are not there any more.");
            return;
        }

        using var meter = context.Meter($"Comparing {Path.GetFileName(path)}", image.Length);
        followed.Explain(ImageScan.Run(image, new ImageScanOptions { Earlier = digests }, meter, context.Cancellation).Changed.Pages());
    }

    private FileImage CopyStepped(LiveDatabase database, string copyPath)
    {
        FreeSpace.Require(directory.Path, database.PageCount * database.PageSize, "the copy by SQLite's backup API");
        var watch = new DiskWatch(database.Path);
        using var meter = context.Meter($"Backing up {Path.GetFileName(path)}: copying it with SQLite's backup API", database.PageCount * database.PageSize);
        var copy = SteppedImage.Copy(
            database,
            copyPath,
            done =>
            {
                watch.Check();
                meter.MoveTo(done * database.PageSize);
            },
            context.Cancellation);
        database.ConfirmUnchanged();
        return copy;
    }

    private WalTail? Tail(LiveDatabase database, BackupMetadata parent)
    {
        var tail = !stepped && parent.WalPosition is { } position ? database.PinTail(position, context.Cancellation) : null;
        walFallback = parent.WalPosition is null ? $"the write-ahead log was empty or missing when '{parent.Id}' was made"
            : tail is null ? $"the write-ahead log was restarted since '{parent.Id}'"
            : ContentWriter.WhyIncomplete(tail.Pages, parent, database.PageCount);
        if (walFallback is not null)
        {
            context.Verbose($"Comparing the pages of '{path}' with those of the parent, because {walFallback}.");
        }

        return walFallback is null ? tail : null;
    }

    private ImageContent SourceContent(LiveDatabase database)
    {
        try
        {
            return database.Query(ImageContent.Read, context.Cancellation);
        }
        catch (BackupException) when (database.ToleratesDamage)
        {
            // SQL cannot read the damaged database: the backup is marked, and records no content to compare with.
            return new ImageContent(null, null);
        }
    }

    private BackupMetadata Describe(LiveDatabase database, PartialBackup partial, DateTimeOffset moment, StoredContent stored, ImageContent? content) => new()
    {
        Id = partial.Name.Id,
        Type = stored.Type,
        ParentId = stored.Parent?.Id,
        Depth = stored.Parent is null ? 0 : stored.Parent.Depth + 1,
        Timestamp = moment,
        DatabasePath = path,
        BackupPath = partial.FinalPath,
        BackupDirectory = directory.Path,
        Compression = compression,
        Size = stored.StoredLength,
        DatabaseSize = stored.PageCount * database.PageSize,
        PageSize = database.PageSize,
        PageCount = stored.PageCount,
        Checksum = stored.Checksum,
        PagesChecksum = stored.PagesChecksum,
        StoredChecksum = stored.StoredChecksum,
        WalChecksum = stored.WalChecksum,
        // A stepped copy's first page differs from the database's own, so nothing in the log continues it.
        WalPosition = stored.Method == SteppedImage.Method ? null : database.WalPosition,
        FileAccess = FileOwnership.Read(path),
        RetentionPolicy = options.RetentionPolicy,
        Description = options.Description,
        Metadata = Notes(stored),
        RowCounts = content?.RowCounts,
        IsEncrypted = options.Encryption is not null,
        Recipients = options.Encryption?.PublicKeys ?? [],
        RevealsContent = options.RevealContent,
        IsSafety = options.IsSafety,
        IsSourceCorrupt = isTruncated || content is { SchemaChecksum: null },
        Clock = context.Clock,
    };

    private BackupMetadata WithoutOverlongCounts(BackupMetadata backup)
    {
        if (backup.RowCounts is not { } counts || Sidecar.HasRoomFor(counts))
        {
            return backup;
        }

        context.Verbose(
            string.Create(CultureInfo.InvariantCulture, $"'{path}' has {counts.Count} tables. Their row counts are compared now, but are too many to record."));
        return backup with
        {
            RowCounts = null,
            Metadata = new Dictionary<string, object?>(backup.Metadata, StringComparer.Ordinal) { ["row_counts_omitted"] = counts.Count },
        };
    }

    private BackupMetadata Check(
        BackupMetadata backup, ImageContent? content, StoredContent stored, SnapshotCopy? copy, PartialBackup partial, FileEncryption? encryption)
    {
        var parent = stored.Parent;
        var verifier = new ImageVerifier(directory.Layout.TemporaryParent, context) { ChecksForeignKeys = true };
        var (level, checks) = Checks(backup, content, stored, copy, partial, encryption, verifier);
        var inconsistencies = verifier.FoundInconsistencies ?? [];
        var failed = checks.FirstOrDefault(check => !check.Passed);
        if (failed is null)
        {
            if (inconsistencies.Count > 0)
            {
                context.Warn($"'{backup.DatabasePath}' is backed up, but it has inconsistencies: {string.Join("; ", inconsistencies)}.");
            }

            return backup with
            {
                Inconsistencies = inconsistencies,
                ForeignKeyViolations = verifier.FoundForeignKeys,
                Verified = true,
                VerificationLevel = level,
                VerificationTimestamp = context.Clock.GetUtcNow(),
                Verification = checks,
            };
        }

        if (parent is not null && failed.Check is VerificationChecks.Chain or VerificationChecks.ImageChecksum)
        {
            throw new ParentLostException(
                failed.Check == VerificationChecks.Chain
                    ? failed.Detail
                    : $"together with '{parent!.Id}' it differs from the database that was read");
        }

        if (VerificationChecks.IsUnreadable(failed) && options.TolerateDamage)
        {
            context.Warn(
                $"The content of '{backup.DatabasePath}' is not verified: the check of its integrity {failed.Detail}. It is kept in '{backup.Id}' as it was read; restore it with -NoVerify.");
            return backup with { IsSourceCorrupt = isTruncated, Verification = checks };
        }

        // The image is exactly what was read, so its defects are the source's.
        var sourceIsDamaged = failed.Check is VerificationChecks.Integrity or VerificationChecks.Schema or VerificationChecks.RowCounts
            && checks.First(check => check.Check == VerificationChecks.ImageChecksum).Passed;
        if (!sourceIsDamaged)
        {
            throw VerificationChecks.Fault(backup, failed);
        }

        if (!options.TolerateDamage)
        {
            throw new BackupException(
                BackupErrorId.SourceCorrupt, backup.DatabasePath,
                $"'{backup.DatabasePath}' is damaged: {failed.Detail}. No backup was kept, so the earlier good ones stay the newest. Restore one of them, or add -Force to back up this state anyway, marked as damaged.");
        }

        context.Warn(
            $"'{backup.DatabasePath}' is damaged: {failed.Detail}. Its present state is kept in the {(options.IsSafety ? "safety backup" : "backup")} '{backup.Id}', which is marked as damaged{(options.IsSafety ? string.Empty : ", because of -Force")}.");
        return backup with
        {
            IsSourceCorrupt = true,
            VerificationTimestamp = context.Clock.GetUtcNow(),
            Verification = checks,
        };
    }

    private (VerificationLevel Level, IReadOnlyList<VerificationCheck> Checks) Checks(
        BackupMetadata backup,
        ImageContent? content,
        StoredContent stored,
        SnapshotCopy? copy,
        PartialBackup partial,
        FileEncryption? encryption,
        ImageVerifier verifier)
    {
        var activity = $"Verifying {backup.Id}";
        var identities = encryption is null ? context.Identities : context.Identities.With(encryption.Key);
        var own = OpenChain.Of(backup, partial.Handle, identities, stored.Sum);
        if (!MayHavePlainCopy)
        {
            // Encryption to other people's keys leaves no plain copy on disk, not even for a check.
            context.Verbose(
                $"'{backup.Id}' was read back, and its checksums match. A full test needs the secret key: Test-SHBackup {backup.Id} -Level Full -IdentityFile <file>.");
            return (VerificationLevel.Quick,
                stored.Parent is null ? verifier.Unpack(own, target: null, folder: null, activity) : verifier.VerifyIncrement(own, activity));
        }

        if (stored.Parent is null)
        {
            return (VerificationLevel.Full, verifier.Verify(own, content!, activity));
        }

        if (content is null)
        {
            return (VerificationLevel.Quick, verifier.VerifyIncrement(own, activity));
        }

        try
        {
            using var parents = OpenChain.Open(stored.Parent, directory, identities);
            var chain = parents.With(backup, partial.Handle, identities);
            if (copy is not null && stored.Changed is { } changed && IncrementVerifier.IsProved(parents))
            {
                return (VerificationLevel.Full, new IncrementVerifier(copy, changed, verifier).Verify(chain, own, content, activity));
            }

            copy?.Dispose();
            return (VerificationLevel.Full, verifier.Verify(chain, content, activity));
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.IdentityMissing or BackupErrorId.IdentityWrong)
        {
            context.Verbose($"The chain of '{backup.Id}' cannot be opened here, so it is checked by itself: {exception.Message}");
            return (VerificationLevel.Quick, verifier.VerifyIncrement(own, activity));
        }
        catch (BackupException exception)
            when (exception.ErrorId is BackupErrorId.BackupFileMissing or BackupErrorId.BackupNotFound or BackupErrorId.ChainBroken)
        {
            throw new ParentLostException(BackupChain.Reason(exception));
        }
    }

    private Dictionary<string, object?> Notes(StoredContent stored)
    {
        var notes = new Dictionary<string, object?>(options.Metadata, StringComparer.Ordinal) { ["snapshot_method"] = stored.Method };
        Note("compression_fallback", codecFallback);
        Note("full_reason", stored.Type == BackupType.Full ? fullReason : null);
        Note("wal_fallback", walFallback);
        Note("changed_pages", stored.ChangedPages);
        foreach (var (name, value) in options.Followed?.Position?.ToEntries() ?? new Dictionary<string, object?>())
        {
            notes[name] = value;
        }

        return notes;

        void Note(string name, object? value)
        {
            if (value is not null)
            {
                notes[name] = value;
            }
        }
    }
}
