using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.History;

/// <summary>
/// Leaves an event of each operation in the history of the backup directory, however it ends. What an operation does within
/// another (a safety backup, the test of what was fetched) leaves none.
/// </summary>
internal static class OperationRecorder
{
    // Of all faults of making a backup, those that its own verification finds.
    private static readonly HashSet<string> FoundByVerification =
    [
        BackupErrorId.BackupFileMissing, BackupErrorId.BackupSizeMismatch, BackupErrorId.BackupChecksumMismatch, BackupErrorId.BackupCorrupt,
        BackupErrorId.BackupIntegrityFailed, BackupErrorId.BackupContentMismatch,
    ];

    private const string Withheld = "The findings are not recorded, because the history is beside encrypted backups. Repeat the operation to see them.";

    // Those whose messages name tables, or tell what is in them.
    private static readonly HashSet<string> TellingContent =
    [
        BackupErrorId.SourceCorrupt, BackupErrorId.BackupIntegrityFailed, BackupErrorId.BackupContentMismatch, BackupErrorId.SafetyBackupFailed,
        BackupErrorId.RestoreVerificationFailed, BackupErrorId.RestoreDrillFailed, BackupErrorId.TableNotFound, BackupErrorId.RowsNotRestored,
        BackupErrorId.InvalidArgument, BackupErrorId.ScheduleStepFailed,
    ];

    /// <summary>What the history keeps of an error's message.</summary>
    /// <param name="errorId">The error's id; null for an unforeseen one.</param>
    /// <param name="message">The message.</param>
    /// <param name="isSecret">Whether the database's content must be shown only to holders of the key.</param>
    public static string? WithoutContent(string? errorId, string? message, bool isSecret) =>
        isSecret && message is not null && (errorId is null || TellingContent.Contains(errorId)) ? Withheld : message;

    /// <summary>
    /// Runs an operation and records how long it took, and how it ended.
    /// </summary>
    /// <param name="begun">The known facts beforehand: the operation and its subject.</param>
    /// <param name="directory">Whose history it belongs to; null for none.</param>
    /// <param name="context">Clock, messages.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="ended">What is known after it, from its result.</param>
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
    /// <param name="begun">What is known before.</param>
    /// <param name="home">The directory whose history an event about a backup belongs to; asked with null for what is about none.</param>
    /// <param name="context">Clock, messages.</param>
    /// <param name="removed">Called for each that is gone.</param>
    /// <param name="failed">Called for each that is still there, with the reason.</param>
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

        // Each from the end of the one before: together they are the whole.
        void Add(BackupEvent told)
        {
            events.Add(told with { Timestamp = moment, Duration = context.Clock.GetElapsedTime(started) });
            moment = context.Clock.GetUtcNow();
            started = context.Clock.GetTimestamp();
        }
    }

    /// <summary>Adds events to the history of a directory; without one there is none.</summary>
    public static void Record(List<BackupEvent> events, BackupDirectory? directory, OperationContext context)
    {
        // A directory that is not there is made only where the operation would have made it.
        if (directory is not null && events.Count > 0 && (Directory.Exists(directory.Path) || events[0].Operation == BackupOperation.Create))
        {
            new EventHistory(directory).Record([.. events.Select(told => told with { Schedule = told.Schedule ?? context.Schedule })], context);
        }
    }

    /// <summary>The backup that a fault is about: by its id, or by the name of its file or of its sidecar.</summary>
    private static string? IdOf(BackupException fault) => fault.Target is not string target ? null
        : BackupFileName.IsId(target) ? target
        : BackupFileName.TryParse(target)?.Id
            ?? (BackupFileName.IsId(Path.GetFileNameWithoutExtension(target)) ? Path.GetFileNameWithoutExtension(target) : null);

    /// <summary>How an operation is recorded that failed.</summary>
    public static BackupEvent Failed(BackupEvent begun, Exception exception) => begun with
    {
        Status = BackupEventStatus.Failed,
        ErrorId = exception switch
        {
            BackupException fault => fault.ErrorId,
            OperationCanceledException => BackupEvent.Stopped,
            _ => exception.GetType().Name,
        },
        ErrorMessage = exception is OperationCanceledException
            ? "It was stopped."
            : WithoutContent((exception as BackupException)?.ErrorId, exception.Message, begun.IsSecret),
        Verified =
            begun.Operation == BackupOperation.Create && exception is BackupException found && FoundByVerification.Contains(found.ErrorId) ? false : null,
    };

    /// <summary>An operation on a backup.</summary>
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

    /// <summary>An operation on a backup, and where it is.</summary>
    public static BackupEvent Of(BackupEvent begun, BackupSource source) => At(Of(begun, source.Backup), source.Catalog.Store);

    /// <summary>An operation at an object store; null for one here.</summary>
    public static BackupEvent At(BackupEvent begun, StoreCatalog? store) =>
        store is null ? begun : begun with { Provider = store.Location.Provider, Destination = store.Location.ToString() };
}
