using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Scrub;

/// <summary>
/// Re-reads one stored file. A file that differs from its record is replaced by a copy, or else moved to the quarantine: it is
/// never deleted, and nobody restores from it by mistake. No key is needed.
/// </summary>
internal static class ScrubBackup
{
    private const int MostLooks = 3;

    /// <summary>Scrubs one backup.</summary>
    /// <param name="backup">The backup, as planned.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="copies">Returns the stores that may have copies of a backup.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <returns>The result; null if the backup was removed meanwhile.</returns>
    /// <exception cref="BackupException">SidecarInvalid, SidecarHostile, and the errors of writing, if something had to be moved.</exception>
    /// <exception cref="OperationCanceledException">It was stopped; the backup is as it was.</exception>
    public static ScrubReport? Run(
        BackupMetadata backup, BackupDirectory directory, Func<BackupMetadata, IEnumerable<Func<StoreCatalog>>> copies, OperationContext context)
    {
        directory.RefuseLinks();
        var moment = context.Clock.GetUtcNow();
        var started = context.Clock.GetTimestamp();
        for (var look = 1; ; look++)
        {
            if (directory.TryGet(backup.Id) is not { } current)
            {
                return null;
            }

            var finding = new FileScrub(current, directory.Layout.TemporaryParent, context).Read();
            if (Act(current, finding, directory, copies, isLast: look == MostLooks, context) is { } report)
            {
                return report with
                {
                    Result = report.Result with
                    {
                        Timestamp = moment,
                        LastCheck = current.LastRead,
                        Bytes = finding.Bytes,
                        Duration = context.Clock.GetElapsedTime(started),
                    },
                };
            }
        }
    }

    /// <summary>Acts on a finding; null if the backup has changed by now, and has to be read again.</summary>
    private static ScrubReport? Act(
        BackupMetadata backup,
        FileScrubResult finding,
        BackupDirectory directory,
        Func<BackupMetadata, IEnumerable<Func<StoreCatalog>>> copies,
        bool isLast,
        OperationContext context)
    {
        switch (finding.Outcome)
        {
            case ScrubOutcome.Good:
                return new ScrubReport(Result(backup, ScrubOutcome.Good, finding.Reason + Recorded(backup, finding, directory, context)), null);
            case ScrubOutcome.Unreadable:
                return Fault(
                    Result(backup, finding.Outcome, finding.Reason), finding,
                    "It was not changed. Check its permissions, the disk and the system log, then run the scrub again.");
        }

        var (good, address, whyNot) = RepairFromCopy.Fetch(backup, copies(backup), directory, context);
        using (good)
        {
            // Asked before the change, because afterwards nothing shows it.
            string[] dependants =
            [
                .. BackupChain.Dependants(directory.ListAll().Backups, [backup.Id]).Select(dependant => dependant.Id).Order(StringComparer.Ordinal),
            ];
            var (done, path) = Move(backup, finding, good, directory, context);
            if (!done)
            {
                return isLast
                    ? Fault(
                        Result(backup, ScrubOutcome.Unreadable, "other runs keep changing it"),
                        finding with { ErrorId = BackupErrorId.ReadFailed }, "Run the scrub again when they have ended.")
                    : null;
            }

            if (good is not null)
            {
                var mended = Result(
                    backup, ScrubOutcome.Repaired, $"{finding.Reason}; replaced from {address}") with
                { QuarantinePath = path, RepairedFrom = address };
                context.Warn(
                    $"The file of '{backup.Id}' was bad ({finding.Reason}), and was replaced from {address}.{(path is null ? string.Empty : $" The damaged file is in '{path}'.")} Check the disk.");
                return new ScrubReport(mended, null);
            }

            var result = Result(
                backup, finding.Outcome, $"{finding.Reason}; not repaired: {whyNot}") with
            { QuarantinePath = path, BrokenDependants = dependants };
            var broken = dependants.Length == 0 ? string.Empty : $" These backups build on it and cannot be restored: {string.Join(", ", dependants)}.";
            return Fault(result, finding, (path is null ? "The backup stays listed." : $"It is in quarantine: '{path}'.") + broken
                + " Make a new backup now (New-SHBackup -Type Full), and check the disk.");
        }
    }

    private static (bool Done, string? Path) Move(
        BackupMetadata backup, FileScrubResult finding, PartialBackup? good, BackupDirectory directory, OperationContext context) =>
        DiskFault.Guard(
            directory.Path,
            BackupErrorId.DirectoryNotWritable,
            "Give this account the right to write there.",
            () => directory.TryQuarantine(backup, finding.File, finding.Check, good, context.Clock.GetUtcNow(), context.Cancellation));

    /// <summary>Records that the file was good; if that fails, returns a text that says so.</summary>
    private static string Recorded(BackupMetadata backup, FileScrubResult finding, BackupDirectory directory, OperationContext context)
    {
        try
        {
            var moment = context.Clock.GetUtcNow();
            return directory.TryUpdate(
                backup, current => current with { ScrubTimestamp = moment, StoredChecksum = current.StoredChecksum ?? finding.StoredChecksum },
                schemaChecksum: null, context.Cancellation)
                ? string.Empty
                : "; not recorded, because the backup directory cannot be written to, or the backup was rewritten meanwhile";
        }
        catch (BackupException exception)
            when (exception.ErrorId is BackupErrorId.InsufficientSpace or BackupErrorId.DirectoryLocked or BackupErrorId.WriteFailed)
        {
            return $"; not recorded: {exception.Message.TrimEnd('.')}";
        }
    }

    private static BackupScrubResult Result(BackupMetadata backup, ScrubOutcome outcome, string reason) => new()
    {
        BackupId = backup.Id,
        DatabasePath = backup.DatabasePath,
        BackupDirectory = backup.BackupDirectory,
        BackupPath = backup.BackupPath,
        Outcome = outcome,
        Reason = reason,
    };

    private static ScrubReport Fault(BackupScrubResult result, FileScrubResult finding, string advice) => new(result, new BackupException(
        finding.ErrorId!,
        result.BackupId,
        $"The file of backup '{result.BackupId}' is bad: {result.Reason}. {advice}"));
}
