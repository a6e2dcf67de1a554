using System.Globalization;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Chains;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>
/// Reads a stored file and compares it with its record. A failed reading proves nothing, and neither does a result that comes only
/// once, so both are tried again.
/// </summary>
internal sealed class FileScrub(BackupMetadata backup, string temporaryParent, OperationContext context)
{
    private const int MostAttempts = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads the file.</summary>
    public FileScrubResult Read()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return ReadOnce();
            }
            catch (BackupException exception) when (exception.ErrorId == BackupErrorId.BackupFileMissing)
            {
                return new FileScrubResult(ScrubOutcome.Missing, $"'{backup.BackupPath}' is missing") { ErrorId = exception.ErrorId };
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or BackupException)
            {
                if (attempt == MostAttempts)
                {
                    return new FileScrubResult(ScrubOutcome.Unreadable, $"'{backup.BackupPath}' cannot be read: {exception.Message.TrimEnd('.')}")
                    {
                        ErrorId = exception is BackupException { ErrorId: BackupErrorId.SidecarHostile } hostile ? hostile.ErrorId : BackupErrorId.ReadFailed,
                    };
                }

                context.Verbose($"Reading '{backup.BackupPath}' again: {exception.Message}");
                context.Cancellation.WaitHandle.WaitOne(Pause);
                context.Cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    private FileScrubResult ReadOnce()
    {
        using var file = CatalogReader.OpenFile(backup);
        var length = RandomAccess.GetLength(file);
        var stamp = (length, File.GetLastWriteTimeUtc(file));
        if (length != backup.Size)
        {
            return new FileScrubResult(
                ScrubOutcome.Damaged, string.Create(CultureInfo.InvariantCulture, $"it has {length} bytes, but {backup.Size} were recorded"))
            {
                ErrorId = BackupErrorId.BackupSizeMismatch,
                File = stamp,
            };
        }

        return (backup.StoredChecksum is { } recorded ? Hash(recorded) : Unpack(file)) with { File = stamp };
    }

    private FileScrubResult Hash(string recorded)
    {
        using var meter = context.Meter($"Reading {backup.Id}", backup.Size);
        var first = HashOnce(meter);
        if (first == recorded)
        {
            return new FileScrubResult(ScrubOutcome.Good, "its SHA-256 matches its record") { Bytes = backup.Size };
        }

        // Read from the disk once more: no file is condemned for a fault of a wire or of memory.
        var second = HashOnce(meter);
        return second == first
            ? new FileScrubResult(
                ScrubOutcome.Damaged,
                $"its SHA-256 is {first}, but {recorded} was recorded")
            { ErrorId = BackupErrorId.BackupChecksumMismatch, Bytes = 2 * backup.Size }
            : new FileScrubResult(
                ScrubOutcome.Unreadable,
                "it reads differently each time; the disk, its cable or the memory is failing")
            { ErrorId = BackupErrorId.ReadFailed, Bytes = 2 * backup.Size };
    }

    private string HashOnce(ProgressMeter meter)
    {
        using var file = CatalogReader.OpenFile(backup);
        meter.MoveTo(0);
        return FileHash.Compute(file, meter.Advance, context.Cancellation);
    }

    /// <summary>Unpacks the file, because the predecessor recorded no checksum of it, but one of its database or log.</summary>
    private FileScrubResult Unpack(SafeFileHandle file)
    {
        if ((backup.Checksum ?? backup.WalChecksum) is not { } checksum || backup.IsEncrypted)
        {
            return new FileScrubResult(
                ScrubOutcome.Good, "no checksum was recorded, so only its size could be compared; Test-SHBackup -Level Full tests its content");
        }

        var verifier = new ImageVerifier(temporaryParent, context);
        var chain = OpenChain.Of(backup with { Checksum = checksum }, file, context.Identities);
        return verifier.Unpack(chain, target: null, folder: null, $"Reading {backup.Id}").Find(check => !check.Passed) is { } failed
            ? new FileScrubResult(
                ScrubOutcome.Damaged, $"no checksum of the file was recorded, and its content fails the {failed.Check} check: {failed.Detail}")
            {
                ErrorId = failed.Check is VerificationChecks.Decompression ? BackupErrorId.BackupCorrupt : BackupErrorId.BackupChecksumMismatch,
                Bytes = backup.Size,
            }
            : new FileScrubResult(
                ScrubOutcome.Good, "no checksum of the file was recorded; its unpacked content matches its record, and the file's checksum is now recorded")
            {
                Bytes = backup.Size,
                StoredChecksum = verifier.FoundImage?.StoredChecksum,
            };
    }
}
