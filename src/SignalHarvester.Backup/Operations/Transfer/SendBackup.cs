using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Transfer;

/// <summary>
/// Copies a backup to an object store: first the backups that it builds on, then its file, then its sidecar, so every listed
/// backup there can be restored. Files that are already there are not sent again, and nothing is overwritten.
/// </summary>
internal static class SendBackup
{
    private const int MostAttempts = 3;
    private static readonly TimeSpan OrphanAge = TimeSpan.FromDays(7);

    /// <summary>Sends one backup.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="catalog">Where it goes.</param>
    /// <param name="context">Clock, messages, cancellation. If it is stopped, the next run continues from the arrived part.</param>
    /// <returns>The backup, with the copy, and what was sent.</returns>
    /// <exception cref="BackupException">The Cloud… errors; CloudObjectExists: another backup there has that id; the errors of
    /// reading the backup.</exception>
    /// <exception cref="OperationCanceledException">It was stopped. An unfinished copy is not listed.</exception>
    public static BackupTransferResult Run(BackupMetadata backup, BackupDirectory directory, StoreCatalog catalog, OperationContext context)
    {
        catalog.RefuseHome(directory);
        var started = context.Clock.GetTimestamp();
        var copied = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                BackupMetadata? sent = null;
                foreach (var link in directory.Chain(backup.Id))
                {
                    sent = SendAsync(link, directory, catalog, copied, context).GetAwaiter().GetResult();
                }

                return new BackupTransferResult(sent! with { Depth = backup.Depth })
                {
                    From = directory.Path,
                    To = catalog.Location.ToString(),
                    FilesCopied = copied.Count,
                    BytesCopied = copied.Values.Sum(),
                    Elapsed = context.Clock.GetElapsedTime(started),
                };
            }
            catch (BackupException exception) when (attempt < MostAttempts && exception.ErrorId is BackupErrorId.BackupFileMissing or BackupErrorId.ChainBroken)
            {
                // Another run folded it since the chain was read, so the present files are sent.
                context.Verbose($"Checking '{backup.Id}' again: {exception.Message}");
            }
        }
    }

    /// <summary>Cancels the uploads of killed runs that nobody resumed for a week: their parts cost money, although no listing shows them.</summary>
    /// <exception cref="BackupException">The Cloud… errors.</exception>
    public static void CleanUp(StoreCatalog catalog, OperationContext context)
    {
        try
        {
            CleanUpAsync(catalog.Store, context).GetAwaiter().GetResult();
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.CloudAccessDenied or BackupErrorId.CloudRefused)
        {
            // An account that may only send should not need more rights for this.
            context.Verbose($"Cannot look for unfinished uploads: {exception.Message}");
        }
    }

    private static async Task CleanUpAsync(IObjectStore store, OperationContext context)
    {
        await foreach (var pending in store.PendingUploadsAsync("backup_", context.Cancellation).ConfigureAwait(false))
        {
            if (BackupFileName.TryParse(pending.Name) is not null && (context.Clock.GetUtcNow() - pending.Begun).Duration() > OrphanAge)
            {
                context.Verbose($"Cancelling the unfinished upload of '{pending.Name}' of {pending.Begun.UtcDateTime:yyyy-MM-dd}.");
                await store.AbortUploadAsync(pending.Name, pending.UploadId, context.Cancellation).ConfigureAwait(false);
            }
        }
    }

    private static async Task<BackupMetadata> SendAsync(
        BackupMetadata link, BackupDirectory directory, StoreCatalog catalog, Dictionary<string, long> copied, OperationContext context)
    {
        var store = catalog.Store;
        var there = await catalog.FindAsync(link.Id, context.Cancellation).ConfigureAwait(false);
        if (there is not null && !there.Backup.HoldsSameImageAs(link))
        {
            throw new StoreFault(store.Location).ObjectExists(link.Id + BackupFileName.SidecarSuffix, null);
        }

        var fileName = Path.GetFileName(link.BackupPath);
        if (there is not null && await store.FindAsync(there.FileName, context.Cancellation).ConfigureAwait(false) is { } present
            && present.Length == there.Backup.Size)
        {
            context.Verbose($"'{link.Id}' is in '{store.Location}' already.");
            await RequireListedAsync(store, link.Id + BackupFileName.SidecarSuffix, context).ConfigureAwait(false);
            Upload.WarnOfLock(store, there.FileName, context);
            return Record(link, directory, Copy(store, there.FileName, present.Checksum, present.Modified), store.Location, context);
        }

        var sent = await SendFileAsync(link, fileName, directory, store, context).ConfigureAwait(false);
        copied[link.Id] = link.Size;
        var copy = Copy(store, fileName, sent.Checksum, context.Clock.GetUtcNow());
        var sidecar = Sidecar.Write(With(link, copy, store.Location), schemaChecksum: null, directory.ReadSidecar(link.Id));
        var attributes = ContentHash.Attributes(sidecar, ObjectAttributes.SidecarType, store.Checksums);
        try
        {
            _ = await store.PutAsync(link.Id + BackupFileName.SidecarSuffix, sidecar, attributes, replaces: there?.SidecarObject, context.Cancellation)
                .ConfigureAwait(false);
        }
        catch (BackupException exception) when (exception.ErrorId == BackupErrorId.CloudObjectExists)
        {
            // Another run may have sent the same backup meanwhile, with only another moment.
            if (await catalog.FindAsync(link.Id, context.Cancellation).ConfigureAwait(false) is not { } theirs || theirs.FileName != fileName
                || !theirs.Backup.HoldsSameImageAs(link))
            {
                throw;
            }
        }

        await RequireListedAsync(store, link.Id + BackupFileName.SidecarSuffix, context).ConfigureAwait(false);
        return Record(link, directory, copy, store.Location, context);
    }

    /// <summary>
    /// Checks that a listing finds the object. Some stores merge two slashes, or drop the first one, when they receive an object, but
    /// not when they list. Such an object is found by its name, but not by somebody who has lost the machine.
    /// </summary>
    private static async Task RequireListedAsync(IObjectStore store, string name, OperationContext context)
    {
        var parts = store.Location.Prefix.Split('/')[..^1];
        if (Array.Exists(parts, part => part.Length == 0)
            && !await store.ListAsync(name, context.Cancellation).AnyAsync(item => item.Name == name, context.Cancellation).ConfigureAwait(false))
        {
            var plain = string.Concat(parts.Where(part => part.Length > 0).Select(part => part + "/"));
            throw new StoreFault(store.Location)
                .Refused("the prefix", $"it stores '{name}' but does not list it, because it drops slashes. Give -Prefix '{plain}' instead", null);
        }
    }

    private static async Task<ObjectInfo> SendFileAsync(
        BackupMetadata link, string fileName, BackupDirectory directory, IObjectStore store, OperationContext context)
    {
        using var file = CatalogReader.OpenFile(link);

        // The predecessor recorded no checksum of the file.
        var sha256 = link.StoredChecksum ?? FileHash.Compute(file, _ => { }, context.Cancellation);
        using var meter = context.Meter($"Sending {link.Id} to {store.Location}", link.Size);
        return await new Upload(store, fileName, file, sha256, context).RunAsync(Journals(directory, context), meter).ConfigureAwait(false);
    }

    private static string? Journals(BackupDirectory directory, OperationContext context)
    {
        directory.RefuseLinks();
        try
        {
            PrivateFolder.Create(directory.Layout.UploadFolder);
            return directory.Layout.UploadFolder;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            context.Verbose($"'{directory.Layout.UploadFolder}' cannot be written to, so a broken upload starts again: {exception.Message}");
            return null;
        }
    }

    private static BackupCopy Copy(IObjectStore store, string fileName, string? checksum, DateTimeOffset moment) =>
        BackupCopy.In(store.Location, store.UrlOf(fileName), checksum, DateTimeOffset.FromUnixTimeSeconds(moment.ToUnixTimeSeconds()));

    private static BackupMetadata With(BackupMetadata backup, BackupCopy copy, StoreLocation place) =>
        backup with { Copies = [.. backup.Copies.Where(other => !other.IsIn(place)), copy] };

    private static BackupMetadata Record(BackupMetadata link, BackupDirectory directory, BackupCopy copy, StoreLocation place, OperationContext context)
    {
        if (link.Copies.Any(known => known.IsIn(place) && known.Url == copy.Url && known.Checksum == copy.Checksum))
        {
            return link;
        }

        if (!directory.TryUpdate(link, current => With(current, copy, place), schemaChecksum: null, context.Cancellation))
        {
            context.Warn(
                $"The copy of '{link.Id}' is in '{copy.Url}', but that could not be recorded here: the backup directory cannot be written to, or the backup was rewritten or removed meanwhile.");
        }

        return With(link, copy, place);
    }
}
