using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.Protection;

/// <summary>Records what people want to know of a protection later. Segments are not: there would be thousands an hour.</summary>
/// <param name="databasePath">The database.</param>
/// <param name="location">Where its stream goes.</param>
/// <param name="directory">The backup directory, which keeps the history.</param>
/// <param name="began">When the protection began.</param>
/// <param name="context">Clock, messages.</param>
internal sealed class ProtectionHistory(
    string databasePath, StoreLocation location, BackupDirectory directory, DateTimeOffset began, OperationContext context)
{
    /// <summary>Records the start.</summary>
    public void Started() => Record(Event(BackupOperation.StreamStart));

    /// <summary>Records that a backup took the place of transactions.</summary>
    /// <param name="backupId">The backup.</param>
    /// <param name="why">Why, as a clause.</param>
    public void HadGap(string backupId, string why) => Record(Event(BackupOperation.StreamGap) with
    {
        Status = BackupEventStatus.Failed,
        BackupId = backupId,
        ErrorMessage = $"A backup took the place of transactions, because {why}.",
    });

    /// <summary>Records that pages differ although no transaction has written them.</summary>
    /// <param name="backupId">The backup that holds the database as it is.</param>
    /// <param name="why">What was found, as a clause.</param>
    public void HadFinding(string backupId, string why) => Record(Event(BackupOperation.StreamAudit) with
    {
        Status = BackupEventStatus.Failed,
        BackupId = backupId,
        ErrorMessage = $"{why}.",
    });

    /// <summary>Records the end.</summary>
    /// <param name="failure">Its error; null if it was stopped.</param>
    public void Ended(BackupException? failure)
    {
        var end = Event(failure?.ErrorId == BackupErrorId.StreamFenced ? BackupOperation.StreamFence : BackupOperation.StreamStop) with
        {
            Timestamp = began,
            Duration = context.Clock.GetUtcNow() - began,
        };
        Record(failure is null ? end : OperationRecorder.Failed(end, failure));
    }

    private BackupEvent Event(BackupOperation operation) => new()
    {
        Operation = operation,
        Timestamp = context.Clock.GetUtcNow(),
        Database = databasePath,
        Provider = location.Provider,
        Destination = location.ToString(),
    };

    private void Record(BackupEvent told) => OperationRecorder.Record([told], directory, context);
}
