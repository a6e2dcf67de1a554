using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>
/// Rewrites a backup so that it needs fewer others. It puts the backup's image together, checks it, writes it as a full backup
/// or as the pages that differ from another parent, reads that back, and publishes it in place of the former file.
/// </summary>
internal static class FoldBackup
{
    /// <summary>Makes one fold.</summary>
    /// <param name="fold">The plan.</param>
    /// <param name="pages">The pages that the backup must have on top of its new parent, from <see cref="CollectPages"/>; null if it becomes full.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>False if another run changed the backup meanwhile. Then nothing was changed here, and a new plan is needed.</returns>
    /// <exception cref="BackupException">A link of the chain is damaged or missing, or there is no room: nothing was changed.</exception>
    public static bool Run(Fold fold, PageSet? pages, BackupDirectory directory, OperationContext context) =>
        DiskFault.Guard(directory.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory and of the temporary folder.", () =>
        {
            using var chain = OpenChain.Open(fold.Survivor, directory, context.Identities);
            return Run(fold, chain, pages, directory, context);
        });

    private static bool Run(Fold fold, OpenChain chain, PageSet? pages, BackupDirectory directory, OperationContext context)
    {
        var survivor = fold.Survivor;
        var activity = $"Folding {survivor.Id}";
        if (chain.Backup.ParentId != survivor.ParentId || chain.Backup.BackupPath != survivor.BackupPath)
        {
            return false;
        }

        // Room for the image, the rewritten file, and the image again from that file.
        using var folder = TemporaryFolder.CreateInFirst([directory.Layout.TemporaryParent, Path.GetTempPath()], 2 * chain.ExpectedImageLength);
        var imagePath = folder.FilePath("image.db");
        var verifier = new ImageVerifier(folder.Path, context);
        Require(verifier.Unpack(chain, imagePath, activity), survivor);
        var checksum = verifier.FoundImage!.Checksum;
        var level = Codec.ResolveLevel(survivor.Compression, null);
        FreeSpace.Require(directory.Path, fold.NewParentId is null ? chain.Links[0].Backup.Size : fold.Sources.Sum(source => source.Size), "the folded backup");

        var type = fold.NewParentId is null ? BackupType.Full
            : fold.Sources.All(source => source.Type == BackupType.Wal) ? BackupType.Wal
            : BackupType.Incremental;
        var (encrypted, encryption) = EncryptionOf(chain);
        using var partial = directory.BeginRewrite(survivor, type, encryption is not null, context.Cancellation);
        using var flush = new SteadyFlush(partial.Handle);
        using var image = FileImage.Open(imagePath, survivor.PageSize!.Value);
        using var target = new StoredFileWriter(partial.Handle, flush, () => { }, encryption);
        var rewritten = chain.Backup with
        {
            Type = type,
            ParentId = fold.NewParentId,
            BackupPath = partial.FinalPath,
            Checksum = checksum,
            IsEncrypted = encryption is not null,
            Recipients = encrypted?.Recipients ?? [],
        };
        using (var meter = context.Meter(activity, image.PageCount * image.PageSize))
        {
            if (pages is null)
            {
                var stored = ImageWriter.Write(image, target, digests: null, hasSum: false, survivor.Compression, level, meter, context.Cancellation);
                rewritten = rewritten with { Size = stored.StoredLength, StoredChecksum = stored.StoredChecksum, WalChecksum = null };
            }
            else
            {
                var stored = WalWriter.Write(
                    image.PageSize, image.PageCount, pages.Pages(), (page, buffer) => image.Read(page, buffer), target, survivor.Compression, level, meter,
                    context.Cancellation);
                rewritten = rewritten with { Size = stored.StoredLength, StoredChecksum = stored.StoredChecksum, WalChecksum = stored.WalChecksum };
            }
        }

        flush.Finish();
        image.Dispose();
        ReadBack(rewritten, partial, directory, folder, activity, context);
        return directory.TryReplace(partial, chain.Backup, rewritten, context.Cancellation);
    }

    /// <summary>
    /// Encrypted content stays encrypted for the same recipients: the newest encrypted link provides its header and key, and the
    /// content gets a new nonce.
    /// </summary>
    private static (BackupMetadata? Link, FileEncryption? Encryption) EncryptionOf(OpenChain chain)
    {
        foreach (var (link, file) in chain.Links.Reverse())
        {
            if (AgeHeader.TryRead(file) is { } header)
            {
                return (link, new FileEncryption(header, chain.Identities.Open(header, link.Id)));
            }
        }

        return (null, null);
    }

    private static void ReadBack(
        BackupMetadata rewritten, PartialBackup partial, BackupDirectory directory, TemporaryFolder folder, string activity, OperationContext context)
    {
        var verifier = new ImageVerifier(folder.Path, context);
        if (rewritten.ParentId is null)
        {
            Require(verifier.Unpack(OpenChain.Of(rewritten, partial.Handle, context.Identities), target: null, folder: null, activity), rewritten);
            return;
        }

        using var parentChain = OpenChain.Open(directory.Get(rewritten.ParentId), directory, context.Identities);
        Require(verifier.Unpack(parentChain.With(rewritten, partial.Handle, context.Identities), folder.FilePath("folded.db"), activity), rewritten);
    }

    /// <summary>
    /// Collects every page in one of a fold's increments, and every page that the new parent may not have at all. This comes before
    /// the first fold of a plan, because a fold can replace an increment that another fold must read.
    /// </summary>
    /// <returns>Null if the backup becomes full.</returns>
    /// <exception cref="BackupException">An increment is damaged or missing.</exception>
    public static PageSet? CollectPages(Fold fold, BackupDirectory directory, OperationContext context)
    {
        if (fold.NewParentId is null)
        {
            return null;
        }

        var pageCount = fold.Survivor.PageCount!.Value;
        var lockPage = (DatabaseHeader.LockByteOffset / fold.Survivor.PageSize!.Value) + 1;
        var pages = new PageSet(pageCount);
        foreach (var source in fold.Sources)
        {
            using var file = CatalogReader.OpenFile(source);
            try
            {
                _ = ChainReader.ReadIncrement(source, file, context.Identities, (page, _) => Add(page), meter: null, context.Cancellation);
            }
            catch (InvalidDataException exception)
            {
                throw VerificationChecks.Fault(source, new VerificationCheck(VerificationChecks.Decompression, false, exception.Message.TrimEnd('.')));
            }
        }

        for (var page = directory.Get(fold.NewParentId).PageCount!.Value + 1; page <= pageCount; page++)
        {
            Add(page);
        }

        if (pages.Count == 0)
        {
            // The log's commit carries the page count, so there must be one page.
            Add(1);
        }

        return pages;

        void Add(long page)
        {
            if (page <= pageCount && page != lockPage)
            {
                _ = pages.Add(page);
            }
        }
    }

    private static void Require(IReadOnlyList<VerificationCheck> checks, BackupMetadata backup)
    {
        if (checks.FirstOrDefault(check => !check.Passed) is { } failed)
        {
            throw VerificationChecks.Fault(backup, failed);
        }
    }
}
