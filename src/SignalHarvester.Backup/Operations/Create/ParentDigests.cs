using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Digests;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite.Snapshot;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Create;

/// <summary>The page digests of a parent: from the cache if it is proved, else computed from the chain.</summary>
internal static class ParentDigests
{
    /// <summary>Opens the digests of a backup that is no parent, if they are in the cache; null if they are not.</summary>
    public static PageDigestSource? TryOpenKept(BackupMetadata backup, BackupDirectory directory)
    {
        directory.RefuseLinks();
        return PageDigestSource.TryOpen(directory.Layout.DigestFolder, backup);
    }

    /// <summary>Opens the digests.</summary>
    /// <exception cref="ParentLostException">The parent's files are gone or damaged.</exception>
    public static PageDigestSource Open(BackupMetadata parent, BackupDirectory directory, OperationContext context)
    {
        directory.RefuseLinks();
        if (PageDigestSource.TryOpen(directory.Layout.DigestFolder, parent) is { } cached)
        {
            return cached;
        }

        context.Verbose($"The page digests of '{parent.Id}' are not available, so they are computed from the backup.");
        try
        {
            using var chain = OpenChain.Open(parent, directory, context.Identities);
            using var folder = TemporaryFolder.CreateInFirst([directory.Layout.TemporaryParent, Path.GetTempPath()], chain.ExpectedImageLength);
            var imagePath = folder.FilePath("image.db");
            var checks = new ImageVerifier(folder.Path, context).Unpack(chain, imagePath, $"Reading {parent.Id}");
            if (checks.Find(check => !check.Passed) is { } failed)
            {
                throw new ParentLostException($"'{parent.Id}' failed its {failed.Check} check: {failed.Detail}");
            }

            using var image = FileImage.Open(imagePath, parent.PageSize!.Value);
            using var digests = PageDigestFile.Create(
                directory.Layout.DigestFolder, folder.Path, parent.DatabasePath!, parent.Id, image.PageSize, image.PageCount,
                parent.IsEncrypted
                    ? PageDigestCipher.OpenOrCreate(reason => context.Verbose($"The next backup cannot use the page digests: {reason}."))
                    : null);
            using var meter = context.Meter($"Reading {parent.Id}", chain.ExpectedImageLength);
            _ = ImageScan.Run(image, new ImageScanOptions { Digests = digests }, meter, context.Cancellation);
            digests.Commit(alsoKept: null);
        }
        catch (BackupException exception)
            when (exception.ErrorId is BackupErrorId.BackupFileMissing or BackupErrorId.ChainBroken or BackupErrorId.BackupNotFound)
        {
            throw new ParentLostException(BackupChain.Reason(exception));
        }
        catch (BackupException exception) when (exception.ErrorId is BackupErrorId.IdentityMissing or BackupErrorId.IdentityWrong)
        {
            var obstacle = "they are not available";
            PageDigestCipher.OpenOrCreate(reason => obstacle = reason).Dispose();
            throw new ParentLostException(
                $"the page digests of '{parent.Id}' cannot be used ({obstacle}), and computing them from the backup needs a secret key that opens it");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(
                exception, directory.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory and of the temporary folder.");
        }

        return PageDigestSource.TryOpen(directory.Layout.DigestFolder, parent)
            ?? throw new ParentLostException($"the page digests of '{parent.Id}' differ from its sidecar");
    }
}
