using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>Verifies a backup, and records the result in its sidecar if it lies in a backup directory.</summary>
internal static class VerifyBackup
{
    /// <summary>Verifies one backup.</summary>
    /// <param name="source">The backup, as listed. The result is not recorded for a backup in an object store, or for a file in no catalogue.</param>
    /// <param name="level">Quick or Full.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <exception cref="BackupException">The check could not be made: InsufficientSpace,
    /// WriteFailed, ReadFailed, BackupNotFound, SidecarHostile, and the Cloud… errors.</exception>
    /// <exception cref="OperationCanceledException">It was stopped, and recorded nothing.</exception>
    public static VerificationOutcome Run(BackupSource source, VerificationLevel level, OperationContext context)
    {
        if (source.Catalog.Store is { } store)
        {
            return VerifyCopy.Run(source.Backup.Id, store, source.Catalog.Home, level, context);
        }

        var (backup, directory) = (source.Backup, source.Catalog.Directory);
        directory?.RefuseLinks();
        var verifier = new ImageVerifier(directory?.Layout.TemporaryParent ?? Path.GetTempPath(), context)
        {
            ChecksForeignKeys = backup.ForeignKeyViolations is null,
        };
        var (tested, checks) = Checks(backup, directory, level, verifier, context);
        if (level == VerificationLevel.Quick && FailedDeeper(tested) is { } earlier)
        {
            checks =
            [
                .. checks,
                new VerificationCheck(earlier.Check, false, $"the last full test failed ({earlier.Detail}), and only another full test can clear it"),
            ];
        }

        var failed = checks.FirstOrDefault(check => !check.Passed);
        var moment = context.Clock.GetUtcNow();
        BackupMetadata Apply(BackupMetadata current) => current with
        {
            Verified = failed is null && !current.IsSourceCorrupt,
            VerificationLevel = failed is not null ? VerificationLevel.None
                : level > current.VerificationLevel || !current.Verified ? level
                : current.VerificationLevel,
            VerificationTimestamp = VerificationChecks.IsUnreadable(failed) ? null : moment,
            Verification = checks,
            Inconsistencies = verifier.FoundInconsistencies ?? current.Inconsistencies,
            ForeignKeyViolations = current.ForeignKeyViolations ?? verifier.FoundForeignKeys,
            Checksum = current.Checksum ?? (failed is null && BackupChain.IsIncrement(current) ? verifier.FoundImage?.Checksum : null),
            StoredChecksum = current.StoredChecksum ?? (failed is null ? verifier.FoundImage?.StoredChecksum : null),
            DatabaseSize = current.DatabaseSize ?? (failed is null && !IsWal(current) ? verifier.FoundImage?.ImageLength : null),
            RowCounts = current.RowCounts ?? (failed is null ? verifier.FoundContent?.RowCounts : null),
        };

        if (verifier.FoundInconsistencies is { Count: > 0 } inconsistencies)
        {
            context.Warn($"The database in '{backup.Id}' had inconsistencies when it was backed up: {string.Join("; ", inconsistencies)}.");
        }

        if (directory is not null)
        {
            Record(directory, tested, Apply, failed is null ? verifier.FoundContent?.SchemaChecksum : null, context);
        }

        return new VerificationOutcome(Apply(tested), failed is null ? null : VerificationChecks.Fault(tested, failed));
    }

    private static void Record(
        BackupDirectory directory, BackupMetadata tested, Func<BackupMetadata, BackupMetadata> apply, string? schemaChecksum, OperationContext context)
    {
        try
        {
            if (!directory.TryUpdate(tested, apply, schemaChecksum, context.Cancellation))
            {
                context.Warn(
                    $"The result for '{tested.Id}' could not be recorded: the backup directory cannot be written to, or the backup was rewritten or removed during the test.");
            }
        }
        catch (BackupException exception)
            when (exception.ErrorId is BackupErrorId.InsufficientSpace or BackupErrorId.DirectoryLocked or BackupErrorId.WriteFailed)
        {
            // The findings remain true.
            context.Warn($"The result for '{tested.Id}' could not be recorded: {exception.Message}");
        }
    }

    private static VerificationCheck? FailedDeeper(BackupMetadata backup) => backup.Verified
        ? null
        : backup.Verification.FirstOrDefault(check => !check.Passed
            && check.Check is (VerificationChecks.Decryption or VerificationChecks.Decompression or VerificationChecks.ImageChecksum
                or VerificationChecks.PagesChecksum
                or VerificationChecks.Integrity or VerificationChecks.Schema or VerificationChecks.RowCounts));

    private static (BackupMetadata Tested, IReadOnlyList<VerificationCheck> Checks) Checks(
        BackupMetadata backup,
        BackupDirectory? directory,
        VerificationLevel level,
        ImageVerifier verifier,
        OperationContext context)
    {
        try
        {
            using var chain = OpenChain.Open(backup, directory, context.Identities);
            return (chain.Backup, Checks(chain, directory, level, verifier));
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.BackupFileMissing)
        {
            return (backup, [exception.Target as string == backup.Id
                ? new VerificationCheck(VerificationChecks.File, false, $"'{backup.BackupPath}' is missing")
                : new VerificationCheck(VerificationChecks.Chain, false, $"the file of '{exception.Target}', a backup of its chain, is missing")]);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.ChainBroken)
        {
            return (backup, [VerificationChecks.Broken(exception)]);
        }
        catch (IOException exception)
        {
            throw DiskFault.From(exception, backup.BackupPath, BackupErrorId.ReadFailed, "Check its permissions.");
        }
    }

    private static IReadOnlyList<VerificationCheck> Checks(OpenChain chain, BackupDirectory? directory, VerificationLevel level, ImageVerifier verifier)
    {
        var backup = chain.Backup;
        var activity = $"Verifying {backup.Id}";
        if (backup.IsPredecessor && IsWal(backup))
        {
            // The predecessor's WAL backups are raw logs, which are no databases by themselves.
            return verifier.Unpack(
                OpenChain.Of(backup with { Checksum = backup.Checksum ?? backup.WalChecksum }, chain.Links[0].File, chain.Identities), target: null,
                folder: null, activity);
        }

        if (level == VerificationLevel.Full)
        {
            var json = directory?.ReadSidecar(backup.Id);
            return verifier.Verify(chain, new ImageContent(json is null ? null : Sidecar.SchemaChecksum(json), backup.RowCounts), activity);
        }

        if (backup.StoredChecksum is not null)
        {
            return verifier.VerifyStored(chain, activity);
        }

        // The predecessor recorded only the image's checksum, so the file must be unpacked to compare it.
        var checks = verifier.Unpack(chain, target: null, folder: null, activity);
        if (backup.Checksum is null)
        {
            checks.Add(
                new VerificationCheck(VerificationChecks.ImageChecksum, false, "no checksum is recorded, so a quick test proves nothing; use -Level Full"));
        }

        return checks;
    }

    private static bool IsWal(BackupMetadata backup) => Formats.BackupFileName.TryParse(Path.GetFileName(backup.BackupPath)) is { IsWal: true };
}
