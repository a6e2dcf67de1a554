using System.Security.Cryptography;
using System.Text;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Transfer;

/// <summary>
/// Fetches a backup from an object store, with all backups that it builds on. Each file is fetched, compared with its SHA-256,
/// and published like a backup made here. Files that are already here are not fetched again.
/// </summary>
internal static class ReceiveBackup
{
    private static readonly TimeSpan LeftOverAge = TimeSpan.FromDays(7);

    /// <summary>Fetches one backup.</summary>
    /// <param name="id">The backup's id.</param>
    /// <param name="catalog">Where it is.</param>
    /// <param name="directory">Where it goes. A missing directory is made.</param>
    /// <param name="context">Clock, messages, cancellation. If it is stopped, the next run continues from the fetched part.</param>
    /// <returns>The backup in the directory, and what was fetched.</returns>
    /// <exception cref="BackupException">BackupNotFound, ChainBroken, BackupIdTaken, InsufficientSpace, and the Cloud… errors.</exception>
    /// <exception cref="OperationCanceledException">It was stopped. An unfinished backup is not listed.</exception>
    public static BackupTransferResult Run(string id, StoreCatalog catalog, BackupDirectory directory, OperationContext context)
    {
        var started = context.Clock.GetTimestamp();
        var copied = new List<long>();
        var links = catalog.Chain(id, context.Cancellation);
        try
        {
            DeleteLeftOvers(directory, context);
            foreach (var link in links)
            {
                if (FetchAsync(link, catalog.Store, directory, context).GetAwaiter().GetResult())
                {
                    copied.Add(link.Backup.Size);
                }
            }

            // A backup is retired because others build on it; this one was requested.
            directory.Reinstate(id, context.Cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception, directory.Path, BackupErrorId.DirectoryNotWritable, "Give a directory that this account may write to with -BackupDirectory.");
        }

        return new BackupTransferResult(directory.Get(id))
        {
            From = catalog.Location.ToString(),
            To = directory.Path,
            FilesCopied = copied.Count,
            BytesCopied = copied.Sum(),
            Elapsed = context.Clock.GetElapsedTime(started),
        };
    }

    /// <summary>Fetches one file with its sidecar.</summary>
    /// <returns>Whether it was not here before.</returns>
    private static async Task<bool> FetchAsync(StoreBackup link, IObjectStore store, BackupDirectory directory, OperationContext context)
    {
        var backup = link.Backup;
        if (Directory.Exists(directory.Path) && directory.TryGet(backup.Id) is { } here)
        {
            RequireSame(here, backup, directory);
            context.Verbose($"'{backup.Id}' is in '{directory.Path}' already.");
            return false;
        }

        var version = await store.FindAsync(link.FileName, context.Cancellation).ConfigureAwait(false)
            ?? throw new StoreFault(store.Location).ObjectNotFound(link.FileName, null);
        if (version.Length != backup.Size)
        {
            throw new StoreFault(store.Location).ChecksumMismatch(
                link.FileName,
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it has {version.Length} bytes, but {backup.Size} were recorded"));
        }

        var name = BackupFileName.TryParse(link.FileName)!;
        using var partial = directory.BeginImport(name, Key(store.UrlOf(link.FileName), version), context.Cancellation);
        FreeSpace.Require(directory.Path, version.Length - RandomAccess.GetLength(partial.Handle), "the fetched backup");
        using (var meter = context.Meter($"Fetching {backup.DisplayName} from {store.Location}", version.Length))
        {
            _ = await new Download(store, version, context).RunAsync(partial.Handle, backup.StoredChecksum ?? version.Sha256, meter).ConfigureAwait(false);
        }

        var local = Trusted(backup, store.Location, context) with { BackupPath = partial.FinalPath, BackupDirectory = directory.Path, Location = null };
        if (!directory.TryImport(partial, Sidecar.Write(local, schemaChecksum: null, link.Sidecar), context.Cancellation))
        {
            // Another run was faster, so this one's file is not needed.
            RequireSame(directory.Get(backup.Id), backup, directory);
            partial.Delete();
        }

        return true;
    }

    /// <summary>
    /// Returns a backup without the copies whose addresses only the store's sidecar names. Whoever may write to the store could name
    /// a server of their own there, to which the next command would send its credentials.
    /// </summary>
    private static BackupMetadata Trusted(BackupMetadata backup, StoreLocation named, OperationContext context)
    {
        BackupCopy[] kept =
        [
            .. backup.Copies.Where(copy => copy.Endpoint is null || (copy.Provider == named.Provider && copy.Endpoint == named.Endpoint?.AbsoluteUri)),
        ];
        if (kept.Length == backup.Copies.Count)
        {
            return backup;
        }

        context.Verbose(
            $"The store says that '{backup.Id}' has copies at other addresses. Those are not recorded here; give such a place with -Provider, -Container and -Endpoint.");
        return backup with { Copies = kept };
    }

    private static void RequireSame(BackupMetadata here, BackupMetadata there, BackupDirectory directory)
    {
        if (!here.HoldsSameImageAs(there))
        {
            throw new BackupException(
                BackupErrorId.BackupIdTaken, here.Id,
                $"The backup '{here.Id}' in '{directory.Path}' differs from the one in '{there.BackupDirectory}'. Nothing was overwritten. Give an empty directory with -BackupDirectory.");
        }
    }

    /// <summary>Returns a key that distinguishes one version of an object in one store from all others.</summary>
    public static string Key(string url, ObjectInfo version) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(url + "\n" + version.Version)))[..16];

    /// <summary>Deletes downloads that nobody resumed for a week.</summary>
    private static void DeleteLeftOvers(BackupDirectory directory, OperationContext context)
    {
        directory.RefuseLinks();
        if (!Directory.Exists(directory.Layout.DownloadFolder))
        {
            return;
        }

        // In either direction, because the clock may have been ahead, or may be now.
        using var downloads = HeldFolder.Open(directory.Layout.DownloadFolder);
        foreach (var file in new DirectoryInfo(directory.Layout.DownloadFolder).EnumerateFiles()
            .Where(file => (context.Clock.GetUtcNow() - file.LastWriteTimeUtc).Duration() > LeftOverAge))
        {
            try
            {
                using var held = downloads.OpenFile(file.Name, FileMode.Open, FileAccess.ReadWrite, DurableFile.Exclusive);
                context.Verbose($"Deleting the incomplete download '{file.FullName}', which is older than a week.");
                downloads.Delete(file.Name);
            }
            catch (IOException exception) when (exception is NotAFileException || DiskFault.IsHeldElsewhere(exception))
            {
                // Another process is fetching it, or it is not ours.
            }
        }
    }
}
