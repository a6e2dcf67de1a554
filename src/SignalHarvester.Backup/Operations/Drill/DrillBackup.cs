using System.Globalization;
using Microsoft.Data.Sqlite;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Sqlite;
using SignalHarvester.Backup.Sqlite.Checks;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Operations.Drill;

/// <summary>
/// Proves that a backup restores: it restores the backup to a private temporary place, with the same operation as a real restore,
/// and queries the database there.
/// </summary>
internal static class DrillBackup
{
    private static readonly TimeSpan LongestQuestions = TimeSpan.FromMinutes(5);

    /// <summary>Runs one drill. A failed restore is a result, not an exception.</summary>
    /// <param name="source">The backup.</param>
    /// <param name="stream">The transaction of a stream beyond it; null for the backup itself.</param>
    /// <param name="assertions">The queries on the restored database.</param>
    /// <param name="context">Clock, messages, cancellation, and the secrets for an encrypted backup.</param>
    /// <exception cref="OperationCanceledException">It was stopped, and removed its unfinished work.</exception>
    public static RestoreDrill Run(BackupSource source, StreamPlan? stream, IReadOnlyList<DrillAssertion> assertions, OperationContext context)
    {
        var started = context.Clock.GetTimestamp();
        var drill = Begin(source, context) with { Transaction = stream?.Transaction, TransactionTime = stream?.Time };
        drill = Conclude(Restore(drill, source, stream, assertions, context));
        return drill with { Ended = context.Clock.GetUtcNow(), Elapsed = context.Clock.GetElapsedTime(started) };
    }

    /// <summary>Returns the result of a drill for which no way to a restore was found.</summary>
    public static RestoreDrill NotRestored(BackupSource source, BackupException fault, OperationContext context) =>
        Conclude(Failed(Begin(source, context), fault)) with { Ended = context.Clock.GetUtcNow() };

    /// <summary>Returns the error of a failed drill.</summary>
    public static BackupException Fault(RestoreDrill drill)
    {
        return new BackupException(
            BackupErrorId.RestoreDrillFailed, drill.BackupId,
            $"{Named(drill)} of '{drill.Database}' failed its restore drill: {drill.Reason}{NextStep(drill)}");
    }

    private static string Named(RestoreDrill drill) => drill.Transaction is { } transaction
        ? string.Create(CultureInfo.InvariantCulture, $"Transaction {transaction}, from the backup '{drill.BackupId}' on,")
        : $"The backup '{drill.BackupId}'";

    /// <summary>Returns the advice. A missing key says nothing about the backup, and neither does an answer about the data.</summary>
    private static string NextStep(RestoreDrill drill) => drill switch
    {
        { ErrorId: BackupErrorId.IdentityMissing or BackupErrorId.IdentityWrong } => string.Empty,
        { StoredTransaction: { } stored } when drill.Transaction < stored => string.Empty,
        { ErrorId: BackupErrorId.RestoreDrillFailed } =>
            " It restores. Check whether the database itself has the same problem, and what changed there since (Compare-SHBackup).",
        _ => " Do not rely on it: try another one (Get-SHBackup -Verified), and make a new backup now.",
    };

    private static RestoreDrill Begin(BackupSource source, OperationContext context) => new()
    {
        Database = source.Backup.DatabasePath,
        BackupId = source.Backup.Id,
        Source = source.Catalog.ToString(),
        Size = source.Backup.Size,
        Started = context.Clock.GetUtcNow(),
    };

    private static RestoreDrill Restore(
        RestoreDrill drill, BackupSource source, StreamPlan? stream, IReadOnlyList<DrillAssertion> assertions, OperationContext context)
    {
        var (backup, directory) = (source.Backup, source.Catalog.Home);
        try
        {
            directory.RefuseLinks();
            using var folder = TemporaryFolder.CreateInFirst([directory.Layout.TemporaryParent, Path.GetTempPath()], backup.DatabaseSize ?? backup.Size);
            var options = new RestoreOptions { Destination = folder.FilePath("restored.db"), IsPrivate = true, Stream = stream };
            var begun = context.Clock.GetTimestamp();
            var restored = RestoreBackup.Run(source, options, context);
            var took = context.Clock.GetElapsedTime(begun);
            var bytes = new FileInfo(options.Destination).Length;
            context.Verbose(string.Create(CultureInfo.InvariantCulture, $"'{restored.Id}' was restored in {took.TotalSeconds:0.00} s, {bytes} bytes."));
            return AskQuestions(
                restored,
                drill with
                {
                    FileExists = true,
                    RestoreResult = DrillResult.Passed,
                    IntegrityResult = DrillResult.Passed,
                    ContentResult = DrillResult.Passed,
                    RestoredBytes = bytes,
                    RestoreTime = took,
                    BytesPerSecond = took > TimeSpan.Zero ? bytes / took.TotalSeconds : 0,
                },
                options.Destination,
                assertions,
                context);
        }
        catch (BackupException exception)
        {
            return Failed(drill, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Failed(drill, DiskFault.From(
                exception, directory.Path, BackupErrorId.WriteFailed, "Check the permissions of the backup directory and of the temporary folder."));
        }
    }

    private static RestoreDrill Failed(RestoreDrill drill, BackupException fault)
    {
        // Integrity is checked once all checksums are right, and schema and rows once the integrity is.
        var isContent = fault.ErrorId == BackupErrorId.BackupContentMismatch;
        var isIntegrity = fault.ErrorId == BackupErrorId.BackupIntegrityFailed;
        return drill with
        {
            FileExists = fault.ErrorId is not (BackupErrorId.BackupFileMissing or BackupErrorId.BackupNotFound or BackupErrorId.CloudObjectNotFound),
            RestoreResult = isContent || isIntegrity ? DrillResult.Passed : DrillResult.Failed,
            IntegrityResult = isContent ? DrillResult.Passed : isIntegrity ? DrillResult.Failed : DrillResult.NotRun,
            ContentResult = isContent ? DrillResult.Failed : DrillResult.NotRun,
            ErrorId = fault.ErrorId,
            Reason = fault.Message,
        };
    }

    private static RestoreDrill AskQuestions(
        BackupMetadata restored, RestoreDrill drill, string path, IReadOnlyList<DrillAssertion> assertions, OperationContext context)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        using var connection = SqliteConnections.OpenImmutable(path, limit.Token);
        using var step = context.Meter($"Questioning {drill.BackupId}", 0);
        IReadOnlyList<ForeignKeyViolation> broken;
        try
        {
            (broken, var unknown) = ForeignKeyCheck.Run(connection);
            if (unknown.Count > 0)
            {
                context.Verbose($"Not checked, because only the application can compare values there: {ShortList.Of(unknown)}.");
            }
        }
        catch (SqliteException exception) when (context.Cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, context.Cancellation);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            // A foreign key names a missing table or column. SQLite cannot check it, and the application has lived with it.
            context.Verbose($"Foreign keys cannot be checked: {exception.Message}");
            broken = [];
        }

        // From here on only: the foreign keys of a large database may take longer, and the user did not ask for that check.
        limit.CancelAfter(LongestQuestions);
        List<DrillAssertionResult> answers = [.. assertions.Select(assertion => DrillQuestion.Ask(connection, assertion))];
        context.Cancellation.ThrowIfCancellationRequested();
        var known = broken.Where(found => WasThere(restored, found)).ToList();
        var warning = known.Count > 0 ? $"{ShortList.Of(known, "; ")}, as when it was backed up. SQLite allows that." : null;
        if (warning is not null)
        {
            context.Warn($"The database in '{drill.BackupId}' has rows that refer to nothing: {warning}");
        }

        return drill with
        {
            Assertions = answers,
            IntegrityResult = known.Count < broken.Count ? DrillResult.Failed : drill.IntegrityResult,
            Reason = known.Count < broken.Count
                ? $"foreign_key_check found what the record of the backup does not have: {ShortList.Of([.. broken.Except(known)], "; ")}."
                : null,
            Warning = warning,
        };
    }

    /// <summary>
    /// Whether the database had these rows when it was backed up: its backup says so, or says nothing of foreign keys, and the restored
    /// image has the checksum of the database's.
    /// </summary>
    private static bool WasThere(BackupMetadata restored, ForeignKeyViolation found) => restored.ForeignKeyViolations is { } recorded
        ? recorded.Any(known => (known with { Rows = found.Rows }) == found && known.Rows >= found.Rows)
        : restored.Verification.Any(check => check is { Passed: true, Check: VerificationChecks.ImageChecksum or VerificationChecks.PagesChecksum });

    private static RestoreDrill Conclude(RestoreDrill drill)
    {
        var wrong = drill.Assertions.Where(answer => !answer.Passed).ToList();
        var reason = drill.Reason ?? (wrong.Count > 0 ? string.Join("; ", wrong.Select(answer => answer.ToString())) + "." : null);
        return drill with
        {
            Passed = reason is null,
            Reason = reason,
            ErrorId = reason is null ? null : drill.ErrorId ?? BackupErrorId.RestoreDrillFailed,
        };
    }
}
