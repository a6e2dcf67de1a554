using System.Buffers;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Remove;

/// <summary>Encrypts a backup to other keys: it makes a new header around the same inner key, and copies the content unchanged.</summary>
internal static class ProtectBackup
{
    private const int CopyBytes = 1 << 20;

    /// <summary>Rewrites one backup. It keeps its id, and backups that build on it continue to do so.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="encryption">The new encryption.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets that open the backup now.</param>
    /// <returns>The backup as it is now.</returns>
    /// <exception cref="BackupException">BackupNotEncrypted, IdentityMissing, IdentityWrong,
    /// or the backup is damaged, or there is no room: nothing was changed.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; nothing was changed.</exception>
    public static BackupMetadata Run(BackupMetadata backup, BackupDirectory directory, BackupEncryption encryption, OperationContext context)
    {
        var rewritten = BackupRewrite.Run(backup.Id, directory, current => TryRewrite(current, directory, encryption, context), context);
        if (rewritten.Copies.Count > 0)
        {
            context.Warn(
                $"The copies of '{rewritten.Id}' in {string.Join(", ", rewritten.Copies.Select(copy => copy.Container))} still open with the former keys. Remove them (Remove-SHBackup -Remote) and send the backup again.");
        }

        return rewritten;
    }

    private static bool TryRewrite(BackupMetadata backup, BackupDirectory directory, BackupEncryption encryption, OperationContext context)
    {
        try
        {
            using var file = CatalogReader.OpenFile(backup);
            var header = ReadHeader(file, backup);
            var key = context.Identities.Open(header, backup.Id);
            FreeSpace.Require(directory.Path, backup.Size, "the backup with its new header");
            using var partial = directory.BeginRewrite(backup, backup.Type, encrypted: true, context.Cancellation);
            using var flush = new SteadyFlush(partial.Handle);
            var (length, checksum) = Copy(file, header, encryption.NewHeader(key), backup, partial, flush, context);
            flush.Finish();
            var rewritten = backup with { BackupPath = partial.FinalPath, Size = length, StoredChecksum = checksum, Recipients = encryption.PublicKeys };
            var landed = new ImageVerifier(directory.Layout.TemporaryParent, context)
                .VerifyStored(OpenChain.Of(rewritten, partial.Handle, context.Identities), $"Verifying {backup.Id}");
            return landed.Find(check => !check.Passed) is { } failed
                ? throw VerificationChecks.Fault(rewritten, failed)
                : directory.TryReplace(partial, backup, rewritten, context.Cancellation);
        }
        catch (InvalidDataException exception)
        {
            throw VerificationChecks.Fault(backup, new VerificationCheck(VerificationChecks.Decryption, false, exception.Message.TrimEnd('.')));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw DiskFault.From(exception, directory.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory.");
        }
    }

    private static AgeHeader ReadHeader(Microsoft.Win32.SafeHandles.SafeFileHandle file, BackupMetadata backup) =>
        AgeHeader.TryRead(file) ?? throw new BackupException(
        BackupErrorId.BackupNotEncrypted, backup.Id,
        $"'{backup.Id}' is not encrypted, so it has no header to rewrite. Use New-SHBackup -Recipient to make an encrypted one, and remove this one when the new one is good.");

    /// <summary>Copies the content behind a new header, and compares the bytes that it reads with their recorded checksum.</summary>
    private static (long Length, string Checksum) Copy(
        Microsoft.Win32.SafeHandles.SafeFileHandle file,
        AgeHeader former,
        AgeHeader header,
        BackupMetadata backup,
        PartialBackup partial,
        SteadyFlush flush,
        OperationContext context)
    {
        using var source = new StoredStream(file);
        using var target = new StoredFileWriter(partial.Handle, flush, () => { });
        using var meter = context.Meter($"Encrypting {backup.Id} to other keys", backup.Size);
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            source.ReadExactly(new byte[former.Bytes.Length]);
            target.Append(header.Bytes);
            while (source.Read(buffer) is var read and > 0)
            {
                context.Cancellation.ThrowIfCancellationRequested();
                target.Append(buffer.AsSpan(0, read));
                meter.Advance(read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return source.Finish() is var found && backup.StoredChecksum is { } recorded && found != recorded
            ? throw VerificationChecks.Fault(
                backup, new VerificationCheck(VerificationChecks.StoredChecksum, false, $"{found} was found, but {recorded} was recorded"))
            : target.Finish();
    }
}
