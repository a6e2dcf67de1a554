using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Operations.Verify;

/// <summary>
/// Verifies a copy in an object store. Quick asks the store for size and checksums of each file of the chain, and fetches only
/// sidecars. Full fetches the chain, and tests it like a local one. Neither changes anything in the store.
/// </summary>
internal static class VerifyCopy
{
    /// <summary>Verifies one copy.</summary>
    /// <param name="id">The id of the backup.</param>
    /// <param name="store">The store.</param>
    /// <param name="home">The backup directory in which a full test finds temporary space.</param>
    /// <param name="level">Quick or Full.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <exception cref="BackupException">The check could not be made: BackupNotFound, InsufficientSpace, and the Cloud… errors.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static VerificationOutcome Run(string id, StoreCatalog store, BackupDirectory home, VerificationLevel level, OperationContext context)
    {
        var backup = store.Get(id, context.Cancellation);
        var (checks, inconsistencies) =
            level == VerificationLevel.Full ? Fetched(backup, store, home, context) : (Asked(backup, store, context.Cancellation), backup.Inconsistencies);
        var failed = checks.FirstOrDefault(check => !check.Passed);
        var verified = backup with
        {
            Verified = failed is null && !backup.IsSourceCorrupt,
            VerificationLevel = failed is null ? level : VerificationLevel.None,
            VerificationTimestamp = VerificationChecks.IsUnreadable(failed) ? null : context.Clock.GetUtcNow(),
            Verification = checks,
            Inconsistencies = inconsistencies,
        };
        return new VerificationOutcome(verified, failed is null ? null : VerificationChecks.Fault(verified, failed));
    }

    private static (IReadOnlyList<VerificationCheck> Checks, IReadOnlyList<string> Inconsistencies) Fetched(
        BackupMetadata backup, StoreCatalog store, BackupDirectory home, OperationContext context)
    {
        try
        {
            using var staged = StagedBackup.Fetch(backup.Id, store, home, context);
            var tested = VerifyBackup.Run(staged.Source, VerificationLevel.Full, context).Backup;
            return (tested.Verification, tested.Inconsistencies);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.ChainBroken)
        {
            return ([VerificationChecks.Broken(exception)], backup.Inconsistencies);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.CloudChecksumMismatch)
        {
            return ([new VerificationCheck(VerificationChecks.StoredChecksum, false, exception.Message.TrimEnd('.'))], backup.Inconsistencies);
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.CloudObjectNotFound)
        {
            return ([new VerificationCheck(VerificationChecks.File, false, exception.Message.TrimEnd('.'))], backup.Inconsistencies);
        }
    }

    private static List<VerificationCheck> Asked(BackupMetadata backup, StoreCatalog store, CancellationToken cancellation)
    {
        IReadOnlyList<StoreBackup> links;
        try
        {
            links = store.Chain(backup.Id, cancellation);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.ChainBroken)
        {
            return [VerificationChecks.Broken(exception)];
        }

        var checks = new List<VerificationCheck>();
        foreach (var link in links)
        {
            AskAsync(link, store, checks, cancellation).GetAwaiter().GetResult();
        }

        return checks;
    }

    private static async Task AskAsync(StoreBackup link, StoreCatalog store, List<VerificationCheck> checks, CancellationToken cancellation)
    {
        var (backup, name) = (link.Backup, link.FileName);
        if (await store.Store.FindAsync(name, cancellation).ConfigureAwait(false) is not { } file)
        {
            checks.Add(new VerificationCheck(VerificationChecks.File, false, $"'{backup.BackupPath}' is missing"));
            return;
        }

        checks.Add(new VerificationCheck(VerificationChecks.File, true, $"'{name}' exists"));
        checks.Add(new VerificationCheck(
            VerificationChecks.StoredSize,
            file.Length == backup.Size,
            file.Length == backup.Size
                ? string.Create(CultureInfo.InvariantCulture, $"'{name}' has {file.Length} bytes")
                : string.Create(CultureInfo.InvariantCulture, $"'{name}' has {file.Length} bytes, but {backup.Size} were recorded")));
        if (backup.StoredChecksum is { } recorded)
        {
            checks.Add(new VerificationCheck(
                VerificationChecks.StoredChecksum,
                file.Sha256 is null || file.Sha256 == recorded,
                file.Sha256 is null ? $"the store records no SHA-256 of '{name}'"
                    : file.Sha256 == recorded ? $"'{name}' was stored with the recorded SHA-256"
                    : $"'{name}' was stored with the SHA-256 {file.Sha256}, but {recorded} was recorded"));
        }

        if (backup.Copies.FirstOrDefault(copy => copy.Url == backup.BackupPath)?.Checksum is { } expected)
        {
            checks.Add(new VerificationCheck(
                VerificationChecks.ProviderChecksum,
                file.Checksum == expected,
                file.Checksum == expected
                    ? $"the store's own checksum of '{name}' is still {expected}"
                    : $"the store's own checksum of '{name}' is {file.Checksum ?? "unknown"}, but was {expected} when the file arrived"));
        }
    }
}
