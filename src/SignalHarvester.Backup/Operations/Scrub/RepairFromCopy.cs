using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>Fetches exactly the recorded file from one of a backup's copies.</summary>
internal static class RepairFromCopy
{
    /// <summary>Fetches the file.</summary>
    /// <param name="backup">The backup's description on this machine.</param>
    /// <param name="places">The stores that may have copies, in the order in which they are asked.</param>
    /// <param name="directory">The directory for the file.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>The fetched file and its address; or why there is none.</returns>
    public static (PartialBackup? File, string? Address, string WhyNot) Fetch(
        BackupMetadata backup, IEnumerable<Func<StoreCatalog>> places, BackupDirectory directory, OperationContext context)
    {
        var reasons = new List<string>();
        foreach (var place in places)
        {
            PartialBackup? file = null;
            try
            {
                var catalog = place();
                (file, var address) = FetchAsync(backup, catalog, directory, context).GetAwaiter().GetResult();
                return (file, address, string.Empty);
            }
            catch (Exception exception) when (exception is BackupException or IOException or UnauthorizedAccessException or InvalidDataException)
            {
                reasons.Add(exception.Message.TrimEnd('.'));
            }
        }

        return (null, null, reasons.Count == 0 ? "no copy of it is known" : string.Join("; ", reasons));
    }

    private static async Task<(PartialBackup File, string Address)> FetchAsync(
        BackupMetadata backup, StoreCatalog catalog, BackupDirectory directory, OperationContext context)
    {
        var store = catalog.Store;
        var name = Path.GetFileName(backup.BackupPath);
        var there = await catalog.FindAsync(backup.Id, context.Cancellation).ConfigureAwait(false);
        if (there is null)
        {
            throw new InvalidDataException($"'{store.Location}' has no copy of it");
        }

        if (there.FileName != name || there.Backup.Size != backup.Size || there.Backup.StoredChecksum != backup.StoredChecksum)
        {
            throw new InvalidDataException(
                $"the copy in '{store.Location}' is a different file: one of the two was folded or re-encrypted since; restore from there with Restore-SHBackup -Remote");
        }

        var version = await store.FindAsync(name, context.Cancellation).ConfigureAwait(false)
            ?? throw new StoreFault(store.Location).ObjectNotFound(name, null);
        if (version.Length != backup.Size)
        {
            throw new StoreFault(store.Location)
                .ChecksumMismatch(name, string.Create(CultureInfo.InvariantCulture, $"it has {version.Length} bytes, but {backup.Size} were recorded"));
        }

        FreeSpace.Require(directory.Path, version.Length, "the fetched copy");
        var address = store.UrlOf(name);
        var partial = directory.BeginImport(BackupFileName.TryParse(name)!, ReceiveBackup.Key(address, version), context.Cancellation);
        try
        {
            using var meter = context.Meter($"Fetching {backup.Id} from {store.Location}", version.Length);
            _ = await new Download(store, version, context).RunAsync(partial.Handle, backup.StoredChecksum ?? version.Sha256, meter).ConfigureAwait(false);
            RequireContent(backup, partial, directory, context);
            return (partial, address);
        }
        catch
        {
            partial.Dispose();
            throw;
        }
    }

    /// <summary>If no checksum of the file is recorded, its content must prove it.</summary>
    private static void RequireContent(BackupMetadata backup, PartialBackup partial, BackupDirectory directory, OperationContext context)
    {
        if (backup.StoredChecksum is not null)
        {
            return;
        }

        var checksum = backup.Checksum ?? backup.WalChecksum
            ?? throw new InvalidDataException("no checksum was recorded, so it is unknown whether the copy is good");
        var chain = OpenChain.Of(backup with { Checksum = checksum }, partial.Handle, context.Identities);
        if (new ImageVerifier(directory.Layout.TemporaryParent, context)
            .Unpack(chain, target: null, folder: null, $"Verifying {backup.Id}")
            .Find(check => !check.Passed) is { } failed)
        {
            throw new InvalidDataException($"the copy fails the {failed.Check} check: {failed.Detail}");
        }
    }
}
