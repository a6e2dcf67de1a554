using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Drill;
using SignalHarvester.Backup.Operations.Query;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Rows;
using SignalHarvester.Backup.Operations.Scrub;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Retention;
using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup;

/// <summary>
/// The engine's front door: one method for each operation. Each records an event in the history of the backup directory,
/// successful or not; an operation within another one (a safety backup, the test of a download) records none.
/// </summary>
public static class BackupEngine
{
    /// <summary>Backs up one database: <see cref="CreateBackup.Run"/>.</summary>
    public static BackupMetadata Create(string databasePath, BackupDirectory directory, CreateBackupOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        var begun = new BackupEvent
        {
            Operation = BackupOperation.Create,
            Database = databasePath,
            Type = options.Strategy switch
            {
                BackupStrategy.Full => BackupType.Full,
                BackupStrategy.Incremental => BackupType.Incremental,
                BackupStrategy.Wal => BackupType.Wal,
                _ => null,
            },
            Compression = options.Compression,
            RetentionPolicy = options.RetentionPolicy,
            IsSecret = options is { Encryption: not null, RevealContent: false },
        };
        return OperationRecorder.Run(
            begun,
            directory,
            context,
            () => CreateBackup.Run(databasePath, directory, options, context),
            made => OperationRecorder.Of(begun, made) with { Verified = options.Verify ? made.Verified : null });
    }

    /// <summary>Verifies one backup: <see cref="VerifyBackup.Run"/>. A file without a catalogue records no event.</summary>
    /// <returns>The outcome, whose backup is a <see cref="BackupTestResult"/>.</returns>
    public static VerificationOutcome Verify(BackupSource source, VerificationLevel level, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Verify }, source);
        var started = context.Clock.GetTimestamp();
        var outcome = OperationRecorder.Run(
            begun,
            IsInNoCatalogue(source) ? null : source.Catalog.Home,
            context,
            () => VerifyBackup.Run(source, level, context),
            outcome => (outcome.Fault is { } fault ? OperationRecorder.Failed(begun, fault) : begun) with { Verified = outcome.Fault is null });
        return outcome with
        {
            Backup = new BackupTestResult(outcome.Backup)
            {
                Passed = outcome.Fault is null,
                Level = level,
                Elapsed = context.Clock.GetElapsedTime(started),
            },
        };
    }

    /// <summary>Sends one backup: <see cref="SendBackup.Run"/>.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="store">Where it goes.</param>
    /// <param name="prepare">Prepares the store first; its failure counts as one of the upload.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    public static BackupTransferResult Send(BackupMetadata backup, BackupDirectory directory, StoreCatalog store, Action prepare, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(prepare);
        var begun = OperationRecorder.At(OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Upload }, backup), store);
        return OperationRecorder.Run(
            begun,
            directory,
            context,
            () =>
            {
                prepare();
                return SendBackup.Run(backup, directory, store, context);
            },
            _ => begun);
    }

    /// <summary>Fetches one backup: <see cref="ReceiveBackup.Run"/>.</summary>
    public static BackupTransferResult Receive(BackupMetadata backup, StoreCatalog store, BackupDirectory directory, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(backup);
        var begun = OperationRecorder.At(OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Receive }, backup), store);
        return OperationRecorder.Run(
            begun, directory, context, () => ReceiveBackup.Run(backup.Id, store, directory, context), received => OperationRecorder.Of(begun, received));
    }

    /// <summary>Plans a restore: <see cref="RestoreBackup.Plan"/>. It records no event.</summary>
    public static RestorePlan PlanRestore(BackupSource source, string? destination, CancellationToken cancellation) =>
        RestoreBackup.Plan(source, destination, cancellation);

    /// <summary>Restores one backup: <see cref="RestoreBackup.Run"/>. A file without a catalogue is recorded where its safety backup goes.</summary>
    public static BackupRestoreResult Restore(BackupSource source, RestoreOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Restore }, source) with { Destination = options.Destination };
        return OperationRecorder.Run(
            begun, IsInNoCatalogue(source) ? options.SafetyDirectory : source.Catalog.Home, context, () => RestoreBackup.Run(source, options, context),
            _ => begun);
    }

    /// <summary>Restores rows: <see cref="RestoreRows.Run"/>.</summary>
    public static IReadOnlyList<RestoredRows> RestoreRows(BackupSource source, RestoreRowsOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Restore }, source) with { Destination = options.Into };
        return OperationRecorder.Run(begun, source.Catalog.Home, context, () => Operations.Rows.RestoreRows.Run(source, options, context), _ => begun);
    }

    /// <summary>Compares two states of a database: <see cref="CompareBackups.Run"/>. It records no event.</summary>
    public static void Compare(
        BackupSource reference,
        BackupSource? difference,
        string? database,
        bool allowHardLink,
        Func<SqliteName, bool> isWanted,
        Action<BackupDifference> found,
        OperationContext context) => CompareBackups.Run(reference, difference, database, allowHardLink, isWanted, found, context);

    /// <summary>Asks a backup a question in SQL: <see cref="QueryBackup.Run"/>. It records no event.</summary>
    public static void Query(BackupSource source, QueryOptions options, Func<QueryRow, bool> found, OperationContext context) =>
        QueryBackup.Run(source, options, found, context);

    /// <summary>Refuses what is no query, without a backup: <see cref="QueryBackup.Check"/>.</summary>
    public static void CheckQuery(string sql) => QueryBackup.Check(sql);

    /// <summary>Finds the newest backup for which a query has a row: <see cref="FindBackup.Run"/>. It records no event.</summary>
    public static BackupSource? Find(
        IReadOnlyList<BackupSource> sources, QueryOptions options, bool isMonotone, Action<BackupException> failed, OperationContext context) =>
        FindBackup.Run(sources, options, isMonotone, failed, context);

    /// <summary>Tries what backups need a store for: <see cref="StoreTrial.Run"/>.</summary>
    public static (IReadOnlyList<StoreCheck> Checks, BackupException? Fault) TryStore(StoreCatalog store, bool create, OperationContext context) =>
        StoreTrial.Run(store, create, context);

    /// <summary>Makes an increment a full backup: <see cref="MergeBackup.Run"/>.</summary>
    public static BackupMetadata Merge(BackupMetadata backup, BackupDirectory directory, OperationContext context)
    {
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Merge }, backup);
        return OperationRecorder.Run(
            begun, directory, context, () => MergeBackup.Run(backup, directory, context), merged => OperationRecorder.Of(begun, merged));
    }

    /// <summary>Runs a restore drill: <see cref="DrillBackup.Run"/>. It records the duration of the restore.</summary>
    public static RestoreDrill Drill(BackupSource source, IReadOnlyList<DrillAssertion> assertions, OperationContext context)
    {
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Drill }, source);
        return OperationRecorder.Run(
            begun,
            source.Catalog.Home,
            context,
            () => DrillBackup.Run(source, stream: null, assertions, context),
            drill => (drill.Passed ? begun : OperationRecorder.Failed(begun, DrillBackup.Fault(drill))) with { Verified = drill.Passed });
    }

    /// <summary>Runs a restore drill of a stream's newest transaction: <see cref="DrillStream.Run"/>. It records the duration of the restore.</summary>
    public static RestoreDrill Drill(
        StoreCatalog store, IReadOnlyList<BackupMetadata> backups, BackupDirectory home, IReadOnlyList<DrillAssertion> assertions, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(backups);
        ArgumentNullException.ThrowIfNull(home);
        var begun = OperationRecorder.Of(
            new BackupEvent { Operation = BackupOperation.StreamDrill }, new BackupSource(backups[0], BackupCatalog.Of(store, home)));
        return OperationRecorder.Run(
            begun,
            home,
            context,
            () => DrillStream.Run(store, backups, home, assertions, context),
            drill => (drill.Passed ? begun : OperationRecorder.Failed(begun, DrillBackup.Fault(drill))) with
            {
                Verified = drill.Passed,
                BackupId = drill.BackupId,
            });
    }

    /// <summary>The error of a failed drill: RestoreDrillFailed.</summary>
    public static BackupException FaultOf(RestoreDrill drill)
    {
        ArgumentNullException.ThrowIfNull(drill);
        return DrillBackup.Fault(drill);
    }

    /// <summary>Re-encrypts a backup to other keys: <see cref="ProtectBackup.Run"/>.</summary>
    public static BackupMetadata Protect(BackupMetadata backup, BackupDirectory directory, BackupEncryption encryption, OperationContext context)
    {
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Protect }, backup);
        return OperationRecorder.Run(
            begun, directory, context, () => ProtectBackup.Run(backup, directory, encryption, context), rewritten => OperationRecorder.Of(begun, rewritten));
    }

    /// <summary>Re-reads one stored file: <see cref="ScrubBackup.Run"/>. A good file records no event of its own.</summary>
    public static ScrubReport? Scrub(
        BackupMetadata backup, BackupDirectory directory, Func<BackupMetadata, IEnumerable<Func<StoreCatalog>>> copies, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Scrub }, backup) with { Timestamp = context.Clock.GetUtcNow() };
        var started = context.Clock.GetTimestamp();
        var report = ScrubBackup.Run(backup, directory, copies, context);
        if (report is { Result.Outcome: not ScrubOutcome.Good })
        {
            var told =
                report.Fault is { } fault ? OperationRecorder.Failed(begun, fault) : begun with { Verified = true, Destination = report.Result.RepairedFrom };
            OperationRecorder.Record([told with { Duration = context.Clock.GetElapsedTime(started) }], directory, context);
        }

        return report;
    }

    /// <summary>Records a whole scrub, or the part of it that finished, as one event: thousands of events a night would displace all others.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="began">When it began.</param>
    /// <param name="duration">How long it took.</param>
    /// <param name="bytes">Bytes that were read.</param>
    /// <param name="context">Clock, messages.</param>
    public static void ScrubEnded(BackupDirectory directory, DateTimeOffset began, TimeSpan duration, long bytes, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        OperationRecorder.Record(
            [new BackupEvent { Operation = BackupOperation.Scrub, Timestamp = began, Duration = duration, Bytes = bytes }], directory, context);
    }

    /// <summary>Removes backups: <see cref="RemoveBackups.Run"/>, or copies from an object store: <see cref="RemoveCopies.Run"/>.</summary>
    /// <param name="sources">The backups, all of one catalogue, at least one. The record of a copy is deleted in the home of
    /// each source that names the copy.</param>
    /// <param name="removed">Called for each backup that was removed.</param>
    /// <param name="failed">Called for each backup that could not be removed, with the reason.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    public static void Remove(
        IReadOnlyCollection<BackupSource> sources, Action<BackupMetadata> removed, Action<BackupException> failed, OperationContext context)
    {
        var catalog = sources.First().Catalog;
        var homes = sources.ToLookup(source => source.Backup.Id, source => source.Catalog.Home, StringComparer.Ordinal);
        string[] ids = [.. homes.Select(home => home.Key)];
        OperationRecorder.RunEach(
            OperationRecorder.At(new BackupEvent { Operation = BackupOperation.Remove }, catalog.Store),
            id => id is not null && homes[id].FirstOrDefault() is { } home ? home : catalog.Home,
            context,
            removed,
            failed,
            (removed, failed) =>
            {
                if (catalog.Store is { } store)
                {
                    RemoveCopies.Run(ids, store, id => homes[id], removed, failed, context);
                }
                else
                {
                    RemoveBackups.Run(ids, catalog.Home, removed, failed, context);
                }
            });
    }

    /// <summary>Removes the backups that no rule keeps: <see cref="PruneBackups.Run"/>. A run that removes nothing is an event too.</summary>
    public static IReadOnlyList<RetentionDecision> Prune(
        BackupCatalog catalog,
        IReadOnlyList<RetentionDecision> decisions,
        RetentionRules rules,
        DateTimeOffset now,
        Action<BackupException> failed,
        OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return OperationRecorder.RunEach(
            OperationRecorder.At(new BackupEvent { Operation = BackupOperation.Retention }, catalog.Store),
            _ => catalog.Home,
            context,
            _ => { },
            failed,
            (removed, failed) => PruneBackups.Run(catalog, decisions, rules, now, removed, failed, context));
    }

    private static bool IsInNoCatalogue(BackupSource source) => source.Catalog is { Directory: null, Store: null };
}
