using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.History;

/// <summary>
/// Records an event of each operation in the history of the backup directory, however it ends. An operation within another
/// one (a safety backup, the test of a download) is not recorded.
/// </summary>
internal static class OperationRecorder
{
    // The errors of making a backup that its own verification finds.
    private static readonly HashSet<string> FoundByVerification =
    [
        BackupErrorId.BackupFileMissing, BackupErrorId.BackupSizeMismatch, BackupErrorId.BackupChecksumMismatch, BackupErrorId.BackupCorrupt,
        BackupErrorId.BackupIntegrityFailed, BackupErrorId.BackupContentMismatch,
    ];

    private const string Withheld = "The findings are not recorded, because the history is beside encrypted backups. Repeat the operation to see them.";

    // The errors whose messages name tables, or reveal their content.
    private static readonly HashSet<string> TellingContent =
    [
        BackupErrorId.SourceCorrupt, BackupErrorId.BackupIntegrityFailed, BackupErrorId.BackupContentMismatch, BackupErrorId.SafetyBackupFailed,
        BackupErrorId.RestoreVerificationFailed, BackupErrorId.RestoreDrillFailed, BackupErrorId.TableNotFound, BackupErrorId.RowsNotRestored,
        BackupErrorId.InvalidArgument, BackupErrorId.ScheduleStepFailed,
    ];

    /// <summary>Returns the part of an error's message that the history keeps.</summary>
    /// <param name="errorId">The error's id; null for an unforeseen one.</param>
    /// <param name="message">The message.</param>
    /// <param name="isSecret">Whether the database's content must be shown only to holders of the key.</param>
    public static string? WithoutContent(string? errorId, string? message, bool isSecret) =>
        isSecret && message is not null && (errorId is null || TellingContent.Contains(errorId)) ? Withheld : message;

    /// <summary>
    /// Runs an operation and records its duration and result.
    /// </summary>
    /// <param name="begun">The known facts beforehand: the operation and its subject.</param>
    /// <param name="directory">The directory whose history gets the event; null for none.</param>
    /// <param name="context">Clock, messages.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="ended">Adds to the event what the operation's result shows.</param>
    public static T Run<T>(BackupEvent begun, BackupDirectory? directory, OperationContext context, Func<T> operation, Func<T, BackupEvent> ended)
    {
        var moment = context.Clock.GetUtcNow();
        var started = context.Clock.GetTimestamp();
        T result;
        try
        {
            result = operation();
        }
        catch (Exception exception)
        {
            Record(Failed(begun, exception));
            throw;
        }

        Record(ended(result));
        return result;

        void Record(BackupEvent told) =>
            OperationRecorder.Record([told with { Timestamp = moment, Duration = context.Clock.GetElapsedTime(started) }], directory, context);
    }

    /// <inheritdoc cref="RunEach{T}"/>
    public static void RunEach(
        BackupEvent begun,
        Func<string?, BackupDirectory> home,
        OperationContext context,
        Action<BackupMetadata> removed,
        Action<BackupException> failed,
        Action<Action<BackupMetadata>, Action<BackupException>> operation) =>
        _ = RunEach(begun, home, context, removed, failed, (each, fault) =>
        {
            operation(each, fault);
            return true;
        });

    /// <summary>Runs an operation on many backups, and records each that it removed or failed on.</summary>
    /// <param name="begun">The known facts beforehand.</param>
    /// <param name="home">Returns the directory whose history gets an event about a backup; called with null for an event about none.</param>
    /// <param name="context">Clock, messages.</param>
    /// <param name="removed">Called for each backup that was removed.</param>
    /// <param name="failed">Called for each backup that could not be removed, with the reason.</param>
    /// <param name="operation">The operation.</param>
    public static T RunEach<T>(
        BackupEvent begun,
        Func<string?, BackupDirectory> home,
        OperationContext context,
        Action<BackupMetadata> removed,
        Action<BackupException> failed,
        Func<Action<BackupMetadata>, Action<BackupException>, T> operation)
    {
        var events = new List<BackupEvent>();
        var moment = context.Clock.GetUtcNow();
        var started = context.Clock.GetTimestamp();
        try
        {
            var result = operation(
                backup =>
                {
                    Add(Of(begun, backup));
                    removed(backup);
                },
                fault =>
                {
                    Add(Failed(IdOf(fault) is { } id ? begun with { BackupId = id } : begun, fault));
                    failed(fault);
                });
            if (events.Count == 0 && begun.Operation == BackupOperation.Retention)
            {
                Add(begun);
            }

            return result;
        }
        catch (Exception exception)
        {
            Add(Failed(begun, exception));
            throw;
        }
        finally
        {
            foreach (var recorded in events.GroupBy(told => home(told.BackupId).Path, StringComparer.Ordinal))
            {
                Record([.. recorded], home(recorded.First().BackupId), context);
            }
        }

        // Each event begins at the end of the one before, so together they have the whole duration.
        void Add(BackupEvent told)
        {
            events.Add(told with { Timestamp = moment, Duration = context.Clock.GetElapsedTime(started) });
            moment = context.Clock.GetUtcNow();
            started = context.Clock.GetTimestamp();
        }
    }

    /// <summary>Adds events to the history of a directory; does nothing without a directory.</summary>
    public static void Record(List<BackupEvent> events, BackupDirectory? directory, OperationContext context)
    {
        // A missing directory is made only if the operation would have made it.
        if (directory is not null && events.Count > 0 && (Directory.Exists(directory.Path) || events[0].Operation == BackupOperation.Create))
        {
            new EventHistory(directory).Record([.. events.Select(told => told with { Schedule = told.Schedule ?? context.Schedule })], context);
        }
    }

    /// <summary>Returns the id of the backup that a fault concerns: the target is its id, or the name of its file or sidecar.</summary>
    private static string? IdOf(BackupException fault) => fault.Target is not string target ? null
        : BackupFileName.IsId(target) ? target
        : BackupFileName.TryParse(target)?.Id
            ?? (BackupFileName.IsId(Path.GetFileNameWithoutExtension(target)) ? Path.GetFileNameWithoutExtension(target) : null);

    /// <summary>Returns the event of an operation that failed or was stopped.</summary>
    public static BackupEvent Failed(BackupEvent begun, Exception exception) => begun with
    {
        Status = exception is OperationCanceledException ? BackupEventStatus.Stopped : BackupEventStatus.Failed,
        ErrorId = exception switch
        {
            BackupException fault => fault.ErrorId,
            OperationCanceledException => BackupEvent.Stopped,
            _ => exception.GetType().Name,
        },
        ErrorMessage = exception is OperationCanceledException
            ? begun.Operation is BackupOperation.Upload or BackupOperation.Receive ? "Stopped; the next one resumes it." : "Stopped; nothing was left behind."
            : WithoutContent((exception as BackupException)?.ErrorId, exception.Message, begun.IsSecret),
        Verified =
            begun.Operation == BackupOperation.Create && exception is BackupException found && FoundByVerification.Contains(found.ErrorId) ? false : null,
    };

    /// <summary>Returns the event of an operation on a backup.</summary>
    public static BackupEvent Of(BackupEvent begun, BackupMetadata backup) => begun with
    {
        Database = backup.DatabasePath,
        BackupId = backup.Id,
        Type = backup.Type,
        Compression = backup.Compression,
        RetentionPolicy = backup.RetentionPolicy,
        Bytes = backup.Size,
        IsSecret = backup is { IsEncrypted: true, RevealsContent: false },
    };

    /// <summary>Returns the event of an operation on a backup in its place.</summary>
    public static BackupEvent Of(BackupEvent begun, BackupSource source) => At(Of(begun, source.Backup), source.Catalog.Store);

    /// <summary>Returns the event of an operation at an object store; null for one on this machine.</summary>
    public static BackupEvent At(BackupEvent begun, StoreCatalog? store) =>
        store is null ? begun : begun with { Provider = store.Location.Provider, Destination = store.Location.ToString() };
}
