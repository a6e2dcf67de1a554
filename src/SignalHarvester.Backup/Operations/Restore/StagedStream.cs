using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Restore;

/// <summary>
/// A transaction of a stream as a backup on this machine: the ordinary backup from which it begins, fetched with its chain, and one increment on
/// top of it with the newest version of each page in the segments. So everything that works on a backup works on it.
/// </summary>
internal sealed class StagedStream : IDisposable
{
    private const int MostAttempts = 3;

    private readonly StagedBackup staged;

    private StagedStream(StagedBackup staged, BackupSource source, StreamPlan plan)
    {
        this.staged = staged;
        Source = source;
        Plan = plan;
    }

    /// <summary>The transaction on this machine.</summary>
    public BackupSource Source { get; }

    /// <summary>The way that was taken.</summary>
    public StreamPlan Plan { get; }

    /// <summary>Fetches a transaction.</summary>
    /// <param name="plan">The way to it. If a part of it has gone since, it is planned again.</param>
    /// <param name="store">Where it is.</param>
    /// <param name="home">The backup directory below which it is fetched. A missing directory is made.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for an encrypted stream.</param>
    /// <exception cref="BackupException">StreamHole, TransactionNotFound; as in <see cref="StagedBackup.Fetch"/>.</exception>
    public static StagedStream Fetch(StreamPlan plan, StoreCatalog store, BackupDirectory home, OperationContext context)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return FetchOnce(plan, store, home, context);
            }
            catch (BackupException exception) when (attempt < MostAttempts
                && (StreamHole.IsGone(exception) || exception.ErrorId == BackupErrorId.BackupNotFound))
            {
                // Retention may have taken it: then a newer backup holds what it held.
                context.Verbose($"Planning the restore again: {exception.Message}");
                var backups = store.List(context.Cancellation).Backups.Where(backup => backup.DatabasePath == plan.Start.DatabasePath).ToList();
                plan = StreamPlanner.OfTransaction(store, backups, plan.Transaction, context);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => staged.Dispose();

    private static StagedStream FetchOnce(StreamPlan plan, StoreCatalog store, BackupDirectory home, OperationContext context)
    {
        var staged = StagedBackup.Fetch(plan.Start.Id, store, home, context);
        try
        {
            return plan.Segments.Count == 0
                ? new StagedStream(staged, staged.Source, plan)
                : new StagedStream(staged, Increment(plan, store, staged.Source, context), plan);
        }
        catch
        {
            staged.Dispose();
            throw;
        }
    }

    private static BackupSource Increment(StreamPlan plan, StoreCatalog store, BackupSource start, OperationContext context)
    {
        var directory = start.Catalog.Directory!;
        using var stream = StreamStore.Open(store.Location, plan.Start.DatabasePath!, store.Store.Options);
        using var folder = TemporaryFolder.Create(directory.Layout.TemporaryParent);
        using var pages = StreamPages.ReadAsync(plan, stream, start.Backup.PageCount!.Value, folder.Path, context).GetAwaiter().GetResult();

        // On this disk only what its reader could open anyway: for the holders of the secrets that opened the segments.
        var encryption = start.Backup.IsEncrypted || pages.IsEncrypted ? context.Identities.ToEncryption() : null;
        using var partial = directory.Begin(
            plan.Time, id => BackupFileName.For(id, BackupType.Incremental, CompressionType.Zstd, encryption is not null), context.Cancellation);
        var written = Write(partial, pages, encryption is null ? null : FileEncryption.Create(encryption), context);
        var backup = new BackupMetadata
        {
            Id = partial.Name.Id,
            Type = BackupType.Incremental,
            ParentId = start.Backup.Id,
            Timestamp = plan.Time,
            DatabasePath = start.Backup.DatabasePath,
            BackupPath = partial.FinalPath,
            BackupDirectory = directory.Path,
            Compression = CompressionType.Zstd,
            Size = written.StoredLength,
            DatabaseSize = pages.PageCount * (long)pages.PageSize,
            PageSize = pages.PageSize,
            PageCount = pages.PageCount,
            StoredChecksum = written.StoredChecksum,
            WalChecksum = written.WalChecksum,
            FileAccess = start.Backup.FileAccess,
            IsEncrypted = encryption is not null,
            Recipients = encryption?.PublicKeys ?? [],
            Clock = context.Clock,
        };
        if (!directory.TryImport(partial, Sidecar.Write(backup, schemaChecksum: null, existing: null), context.Cancellation))
        {
            throw new InvalidOperationException($"'{backup.Id}' has appeared in a folder that this run alone uses.");
        }

        return BackupSource.In(directory, directory.Get(backup.Id));
    }

    private static WrittenWal Write(PartialBackup partial, StreamPages pages, FileEncryption? encryption, OperationContext context)
    {
        using var meter = context.Meter("Putting the transactions together", WalFormat.FrameOffset(pages.Count + 1, pages.PageSize));
        using var flush = new SteadyFlush(partial.Handle);
        using var target = new StoredFileWriter(partial.Handle, flush, () => { }, encryption);
        return WalWriter.Write(
            pages.PageSize, pages.PageCount, pages.Numbers, pages.Read, target, CompressionType.Zstd, ZstdFrames.DefaultLevel, meter, context.Cancellation);
    }
}
