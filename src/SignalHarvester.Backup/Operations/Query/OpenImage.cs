using System.Runtime.ExceptionServices;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Formats.Seekable;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Images;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Query;

/// <summary>
/// The image of a backup, open for SQLite. It is read as it lies, here or in a store, wherever its files can be read in pieces
/// and prove what is read. Other files are fetched or unpacked first, with every checksum, and the user is told.
/// </summary>
internal sealed class OpenImage : IDisposable
{
    private const string Advice = "Check the permissions of the backup directory and of the temporary folder.";

    private readonly BackupMetadata backup;
    private readonly StoredImage? stored;
    private readonly MountedImage? mounted;
    private readonly IDisposable[] owned;

    private OpenImage(BackupMetadata backup, string uri, StoredImage? stored, MountedImage? mounted, params IDisposable[] owned)
    {
        this.stored = stored;
        this.backup = backup;
        this.mounted = mounted;
        this.owned = owned;
        Uri = uri;
    }

    /// <summary>The URI with which SQLite opens or attaches the image. It is immutable.</summary>
    public string Uri { get; }

    /// <summary>Opens the image of a backup.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="context">Messages, cancellation, and the secrets for an encrypted backup.</param>
    /// <param name="cacheBytes">How much of the unpacked content stays in memory.</param>
    /// <param name="keepsRemote">Whether what comes over a network is kept in a temporary file (<see cref="FrameCache.KeepsRemote"/>).</param>
    /// <exception cref="BackupException">As restoring: BackupTypeUnsupported, ChainBroken, BackupCorrupt, IdentityMissing, …; the Cloud… errors.</exception>
    public static OpenImage Of(BackupSource source, OperationContext context, long cacheBytes = FrameCache.DefaultBytes, bool keepsRemote = false)
    {
        var home = source.Catalog.Home;
        RefuseRawLog(source.Backup);
        try
        {
            home.RefuseLinks();
            return source.Catalog.Store is { } store
                ? InStore(source.Backup, store, home, context, NewCache)
                : Here(source.Backup, source.Catalog.Directory, home, context, NewCache);
        }
        catch (ChainDamagedException exception)
        {
            throw Damage(exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(exception, home.Path, BackupErrorId.WriteFailed, Advice);
        }

        FrameCache NewCache() => new(cacheBytes, new UnpackedFrames(TemporaryParents(home)), context.Cancellation) { KeepsRemote = keepsRemote };
    }

    /// <summary>Whether the image is read over a network.</summary>
    public bool IsRemote { get; private init; }

    /// <summary>Says how much of the backup was read.</summary>
    public void Tell(OperationContext context)
    {
        if (stored is not null)
        {
            context.Verbose($"Read of '{backup.Id}': {stored.Effort}.");
        }
    }

    /// <summary>Opens a connection that can only read.</summary>
    public SqliteConnection Connect(CancellationToken cancellation) => SqliteConnections.OpenUri(Uri, cancellation);

    /// <summary>Returns why the image could not be read, which is behind a failed statement; null if it could be.</summary>
    public Exception? Failure => mounted?.Failure switch
    {
        ChainDamagedException damaged => Damage(damaged),
        IOException failed => DiskFault.From(failed, backup.BackupDirectory, BackupErrorId.WriteFailed, Advice),
        var other => other,
    };

    /// <summary>Throws why the image could not be read. SQLite does not end every statement for it: a check of its own reports it as a finding.</summary>
    public void RequireRead()
    {
        if (Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        mounted?.Dispose();
        foreach (var item in owned)
        {
            item.Dispose();
        }
    }

    private static OpenImage InStore(BackupMetadata backup, StoreCatalog store, BackupDirectory home, OperationContext context, Func<FrameCache> newCache)
    {
        var links = store.Chain(backup.Id, context.Cancellation);
        var found = links[^1].Backup;
        List<(BackupMetadata Backup, IStoredBytes File)> files = [.. links.Select(link => (link.Backup, (IStoredBytes)Bytes(link, store, context)))];
        var image = StoredImage.TryOpen(
            files, context.Identities, PageDigestSource.TryOpen(home.Layout.DigestFolder, found), newCache(), TemporaryParents(home), context.Cancellation);
        if (image is { IsProved: true })
        {
            return Mounted(found, image, isRemote: true);
        }

        image?.Dispose();
        context.Warn(
            $"'{backup.Id}' cannot be read in '{store.Location}' as it lies, because it has no table of its frames: it is fetched first. Backups that are made from now on with zstd, the default, have one.");
        var staged = StagedBackup.Fetch(backup.Id, store, home, context);
        try
        {
            var opened = Here(staged.Source.Backup, staged.Source.Catalog.Directory, home, context, newCache);
            return new OpenImage(opened.backup, opened.Uri, opened.stored, opened.mounted, [.. opened.owned, staged]);
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    private static ObjectBytes Bytes(StoreBackup link, StoreCatalog store, OperationContext context)
    {
        var version = store.Store.FindAsync(link.FileName, context.Cancellation).GetAwaiter().GetResult()
            ?? throw new StoreFault(store.Location).ObjectNotFound(link.FileName, null);
        return version.Length == link.Backup.Size
            ? new ObjectBytes(store.Store, version)
            : throw VerificationChecks.Fault(link.Backup, WrongSize(version.Length, link.Backup.Size));
    }

    private static OpenImage Here(BackupMetadata backup, BackupDirectory? directory, BackupDirectory home, OperationContext context, Func<FrameCache> newCache)
    {
        var chain = OpenChain.Open(backup, directory, context.Identities);
        try
        {
            foreach (var (link, file) in chain.Links)
            {
                if (RandomAccess.GetLength(file) is var length && length != link.Size)
                {
                    throw VerificationChecks.Fault(link, WrongSize(length, link.Size));
                }
            }

            var image = StoredImage.TryOpen(
                [.. chain.Links.Select(link => (link.Backup, (IStoredBytes)new StoredFileBytes(link.File)))],
                context.Identities,
                directory is null ? null : PageDigestSource.TryOpen(directory.Layout.DigestFolder, chain.Backup),
                newCache(),
                TemporaryParents(home),
                context.Cancellation);
            if (image is { IsProved: true })
            {
                return Mounted(chain.Backup, image, isRemote: false, chain);
            }

            image?.Dispose();
            return Unpacked(chain, home, context);
        }
        catch
        {
            chain.Dispose();
            throw;
        }
    }

    /// <summary>Unpacks a chain whose files cannot be read in pieces, or whose pieces do not prove themselves.</summary>
    private static OpenImage Unpacked(OpenChain chain, BackupDirectory home, OperationContext context)
    {
        var backup = chain.Backup;
        context.Warn(
            $"'{backup.Id}' is unpacked to a temporary file first, because a part of it does not prove itself: it is one long frame, or is not compressed and its page digests are not at hand.");
        var folder = TemporaryFolder.CreateInFirst(TemporaryParents(home), chain.ExpectedImageLength);
        try
        {
            var path = folder.FilePath("image.db");
            var checks = new ImageVerifier(home.Layout.TemporaryParent, context).Unpack(chain, path, $"Unpacking {backup.DisplayName}");
            return checks.Find(check => !check.Passed) is { } failed
                ? throw VerificationChecks.Fault(backup, failed)
                : new OpenImage(backup, SqliteConnections.ImmutableUri(path), stored: null, mounted: null, folder, chain);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    private static OpenImage Mounted(BackupMetadata backup, StoredImage image, bool isRemote, params IDisposable[] owned)
    {
        var mounted = new MountedImage(image);
        return new OpenImage(backup, mounted.Uri, image, mounted, owned) { IsRemote = isRemote };
    }

    private static string[] TemporaryParents(BackupDirectory home)
    {
        // A look at a store makes no backup directory on this machine.
        string[] everywhere = [Path.GetTempPath()];
        return home.Exists ? [home.Layout.TemporaryParent, .. everywhere] : everywhere;
    }

    private static VerificationCheck WrongSize(long found, long recorded) => new(
        VerificationChecks.StoredSize, false, FormattableString.Invariant($"{found} bytes were found, but {recorded} were recorded"));

    private static BackupException Damage(ChainDamagedException damaged) => VerificationChecks.Fault(
        damaged.Link, new VerificationCheck(VerificationChecks.Decompression, false, damaged.Message.TrimEnd('.')));

    private static void RefuseRawLog(BackupMetadata backup)
    {
        if (backup.IsPredecessor && BackupFileName.TryParse(Path.GetFileName(backup.BackupPath)) is { IsWal: true })
        {
            throw new BackupException(
                BackupErrorId.BackupTypeUnsupported, backup.Id,
                $"'{backup.Id}' contains a write-ahead log, which is not a database by itself. Query the full backup made before it.");
        }
    }
}
