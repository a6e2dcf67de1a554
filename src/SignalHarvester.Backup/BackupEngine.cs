using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Drill;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Rows;
using SignalHarvester.Backup.Operations.Scrub;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup;

/// <summary>
/// The engine's front door: one method for each operation. Each leaves an event in the history of the backup directory, however
/// it ends; what an operation does within another (a safety backup, the test of what was fetched) leaves none.
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

    /// <summary>Verifies one backup: <see cref="VerifyBackup.Run"/>. A file that is in no catalogue leaves no event.</summary>
    public static VerificationOutcome Verify(BackupMetadata backup, BackupDirectory? directory, VerificationLevel level, OperationContext context)
    {
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Verify }, backup);
        return OperationRecorder.Run(begun, directory, context, () => VerifyBackup.Run(backup, directory, level, context), outcome => Verified(begun, outcome));
    }

    /// <summary>Verifies a copy in an object store: <see cref="VerifyRemoteBackup.Run"/>.</summary>
    public static VerificationOutcome VerifyRemote(BackupMetadata backup, RemoteCatalog remote, BackupDirectory home, VerificationLevel level, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(backup);
        var begun = OperationRecorder.At(OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Verify }, backup), remote);
        return OperationRecorder.Run(begun, home, context, () => VerifyRemoteBackup.Run(backup.Id, remote, home, level, context), outcome => Verified(begun, outcome));
    }

    /// <summary>Sends one backup: <see cref="SendBackup.Run"/>.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="directory">Where it lies.</param>
    /// <param name="remote">Where it goes.</param>
    /// <param name="prepare">What is done at the place before; a fault of it is one of the upload.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    public static BackupMetadata Send(BackupMetadata backup, BackupDirectory directory, RemoteCatalog remote, Action prepare, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(prepare);
        var begun = OperationRecorder.At(OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Upload }, backup), remote);
        return OperationRecorder.Run(
            begun,
            directory,
            context,
            () =>
            {
                prepare();
                return SendBackup.Run(backup, directory, remote, context);
            },
            _ => begun);
    }

    /// <summary>Fetches one backup: <see cref="ReceiveBackup.Run"/>.</summary>
    public static BackupMetadata Receive(BackupMetadata backup, RemoteCatalog remote, BackupDirectory directory, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(backup);
        var begun = OperationRecorder.At(OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Receive }, backup), remote);
        return OperationRecorder.Run(begun, directory, context, () => ReceiveBackup.Run(backup.Id, remote, directory, context), received => OperationRecorder.Of(begun, received));
    }

    /// <summary>Restores one backup: <see cref="RestoreBackup.Run"/>. One of a file in no catalogue is recorded where its safety backup goes.</summary>
    public static BackupMetadata Restore(BackupMetadata backup, BackupDirectory? directory, RestoreOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Restore, Destination = options.Destination }, backup);
        return OperationRecorder.Run(begun, directory ?? options.SafetyDirectory, context, () => RestoreBackup.Run(backup, directory, options, context), _ => begun);
    }

    /// <summary>Brings rows back: <see cref="RestoreRows.Run"/>.</summary>
    public static IReadOnlyList<RestoredRows> RestoreRows(
        BackupMetadata backup, RemoteCatalog? remote, BackupDirectory? directory, BackupDirectory home, RestoreRowsOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Restore, Destination = options.Into }, backup);
        begun = remote is null ? begun : OperationRecorder.At(begun, remote) with { Destination = options.Into };
        return OperationRecorder.Run(begun, home, context, () => Operations.Rows.RestoreRows.Run(backup, remote, directory, home, options, context), _ => begun);
    }

    /// <summary>Restores one backup from an object store: <see cref="RestoreRemoteBackup.Run"/>.</summary>
    public static BackupMetadata RestoreRemote(BackupMetadata backup, RemoteCatalog remote, BackupDirectory home, RestoreOptions options, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(backup);
        ArgumentNullException.ThrowIfNull(options);
        var begun = OperationRecorder.At(OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Restore }, backup), remote) with { Destination = options.Destination };
        return OperationRecorder.Run(begun, home, context, () => RestoreRemoteBackup.Run(backup.Id, remote, home, options, context), _ => begun);
    }

    /// <summary>Makes an increment a full backup: <see cref="MergeBackup.Run"/>.</summary>
    public static BackupMetadata Merge(BackupMetadata backup, BackupDirectory directory, OperationContext context)
    {
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Merge }, backup);
        return OperationRecorder.Run(begun, directory, context, () => MergeBackup.Run(backup, directory, context), merged => OperationRecorder.Of(begun, merged));
    }

    /// <summary>Makes a restore drill: <see cref="DrillBackup.Run"/>. How long the restore took is what is recorded.</summary>
    public static RestoreDrill Drill(
        BackupMetadata backup, RemoteCatalog? remote, BackupDirectory directory, IReadOnlyList<DrillAssertion> assertions, OperationContext context)
    {
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Drill }, backup);
        begun = remote is null ? begun : OperationRecorder.At(begun, remote);
        return OperationRecorder.Run(
            begun,
            directory,
            context,
            () => DrillBackup.Run(backup, remote, directory, assertions, context),
            drill => (drill.Passed ? begun : OperationRecorder.Failed(begun, DrillBackup.Fault(drill))) with { Verified = drill.Passed });
    }

    /// <summary>Encrypts a backup to others: <see cref="ProtectBackup.Run"/>.</summary>
    public static BackupMetadata Protect(BackupMetadata backup, BackupDirectory directory, BackupEncryption encryption, OperationContext context)
    {
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Protect }, backup);
        return OperationRecorder.Run(begun, directory, context, () => ProtectBackup.Run(backup, directory, encryption, context), rewritten => OperationRecorder.Of(begun, rewritten));
    }

    /// <summary>Re-reads one stored file: <see cref="ScrubBackup.Run"/>. What is good leaves no event of its own.</summary>
    public static ScrubReport? Scrub(BackupMetadata backup, BackupDirectory directory, Func<BackupMetadata, IEnumerable<Func<RemoteCatalog>>> copies, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var begun = OperationRecorder.Of(new BackupEvent { Operation = BackupOperation.Scrub }, backup) with { Timestamp = context.Clock.GetUtcNow() };
        var started = context.Clock.GetTimestamp();
        var report = ScrubBackup.Run(backup, directory, copies, context);
        if (report is { Result.Outcome: not ScrubOutcome.Good })
        {
            var told = report.Fault is { } fault ? OperationRecorder.Failed(begun, fault) : begun with { Verified = true, Destination = report.Result.RepairedFrom };
            OperationRecorder.Record([told with { Duration = context.Clock.GetElapsedTime(started) }], directory, context);
        }

        return report;
    }

    /// <summary>Records a whole scrub, or as much of it as was done: thousands of events a night would push out all others.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="began">When it began.</param>
    /// <param name="duration">How long it took.</param>
    /// <param name="bytes">Bytes that were read.</param>
    /// <param name="context">Clock, messages.</param>
    public static void ScrubEnded(BackupDirectory directory, DateTimeOffset began, TimeSpan duration, long bytes, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        OperationRecorder.Record([new BackupEvent { Operation = BackupOperation.Scrub, Timestamp = began, Duration = duration, Bytes = bytes }], directory, context);
    }

    /// <summary>Removes backups: <see cref="RemoveBackups.Run"/>.</summary>
    public static void Remove(
        IReadOnlyCollection<string> ids, BackupDirectory directory, Action<BackupMetadata> removed, Action<BackupException> failed, OperationContext context) =>
        OperationRecorder.RunEach(
            new BackupEvent { Operation = BackupOperation.Remove },
            directory,
            context,
            removed,
            failed,
            (removed, failed) => RemoveBackups.Run(ids, directory, removed, failed, context));

    /// <summary>Removes copies from an object store: <see cref="RemoveRemoteBackups.Run"/>.</summary>
    public static void RemoveRemote(
        IReadOnlyCollection<string> ids,
        RemoteCatalog remote,
        BackupDirectory home,
        Action<BackupMetadata> removed,
        Action<BackupException> failed,
        OperationContext context) =>
        OperationRecorder.RunEach(
            OperationRecorder.At(new BackupEvent { Operation = BackupOperation.Remove }, remote),
            home,
            context,
            removed,
            failed,
            (removed, failed) => RemoveRemoteBackups.Run(ids, remote, home, removed, failed, context));

    /// <summary>Removes what retention decided against: <see cref="PruneBackups.Run"/>. A run that removes nothing is an event too.</summary>
    public static IReadOnlyList<RetentionDecision> Prune(
        BackupDirectory directory,
        IReadOnlyList<RetentionDecision> decisions,
        RetentionRules rules,
        DateTimeOffset now,
        Action<BackupException> failed,
        OperationContext context) =>
        OperationRecorder.RunEach(
            new BackupEvent { Operation = BackupOperation.Retention },
            directory,
            context,
            _ => { },
            failed,
            (removed, failed) => PruneBackups.Run(directory, decisions, rules, now, removed, failed, context));

    /// <summary>Removes the copies that retention decided against: <see cref="PruneBackups.RunRemote"/>.</summary>
    public static IReadOnlyList<RetentionDecision> PruneRemote(
        RemoteCatalog remote, BackupDirectory home, IReadOnlyList<RetentionDecision> decisions, Action<BackupException> failed, OperationContext context) =>
        OperationRecorder.RunEach(
            OperationRecorder.At(new BackupEvent { Operation = BackupOperation.Retention }, remote),
            home,
            context,
            _ => { },
            failed,
            (removed, failed) => PruneBackups.RunRemote(remote, home, decisions, removed, failed, context));

    private static BackupEvent Verified(BackupEvent begun, VerificationOutcome outcome) =>
        (outcome.Fault is { } fault ? OperationRecorder.Failed(begun, fault) : begun) with { Verified = outcome.Fault is null };
}
