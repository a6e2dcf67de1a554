using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Drill;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Scrub;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Retention;

namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>
/// The work of a due schedule: backups, each verified and sent off-site, then retention. A failed step does not stop others that
/// can still help.
/// </summary>
/// <param name="job">The job.</param>
/// <param name="settings">The settings: those of the file, overridden by those of the schedule.</param>
/// <param name="recorder">Where the steps are noted.</param>
/// <param name="context">Clock, messages, cancellation.</param>
internal sealed class ScheduledWork(ScheduleJob job, BackupSettings settings, StepRecorder recorder, OperationContext context)
{
    private static readonly TimeSpan RemovalLook = TimeSpan.FromSeconds(1);

    private readonly OperationContext context = context with
    {
        Identities = settings.Encryption.ToIdentities(context.Warn, context.Cancellation),
        IsThorough = settings.Verification.Thorough,
    };
    private readonly Lock gate = new();
    private readonly HashSet<string> databases = new(StringComparer.Ordinal);
    private readonly List<string> made = [];

    /// <summary>The ids of the new backups.</summary>
    public IReadOnlyList<string> Made => made;

    /// <summary>The run's databases.</summary>
    public IReadOnlyCollection<string> Databases => databases;

    /// <summary>The run's backup directories.</summary>
    public IReadOnlyList<string> Directories => job.Action != ScheduleAction.Backup
        ? [.. settings.BackupDirectories.Where(directory => directory == settings.BackupDirectory || Directory.Exists(directory))]
        : [.. databases.Select(settings.BackupDirectoryOf).Distinct(StringComparer.Ordinal)];

    /// <summary>Runs the steps.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Run(IReadOnlyList<ScheduleSource> sources)
    {
        switch (job.Action)
        {
            case ScheduleAction.Backup:
                BackUp(sources);
                break;
            case ScheduleAction.Drill:
                Drill(sources);
                break;
            case ScheduleAction.Scrub:
                Scrub();
                break;
        }

        if (job.Action == ScheduleAction.Retention || job.Prune)
        {
            foreach (var directory in Directories)
            {
                recorder.Do(
                    new ScheduleStep { Step = StepNames.Retention, Target = directory },
                    step => step with { Detail = Prune(new BackupDirectory(directory, context.Clock)) });
            }
        }
    }

    /// <summary>Protects the databases continuously, until it is stopped.</summary>
    /// <param name="sources">The databases.</param>
    /// <param name="isRemoved">Whether the schedule was removed, which stops it whatever has started it.</param>
    public void Protect(IReadOnlyList<ScheduleSource> sources, Func<bool> isRemoved)
    {
        foreach (var source in sources.Where(source => source.Fault is not null))
        {
            recorder.Fail(Of(StepNames.Protect, source.Path), source.Fault!);
        }

        var databases = sources.Where(source => source.Fault is null)
            .Select(source => (source.Path, new BackupDirectory(settings.BackupDirectoryOf(source.Path), context.Clock))).ToList();
        if (databases.Count == 0)
        {
            return;
        }

        try
        {
            using var stores = new StoreSession(context.Clock);
            var lost = job.LostTargets(settings).FirstOrDefault();
            var place = lost is null ? job.StreamStore(settings) : throw LostTarget(lost);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
            var look = context.Clock.CreateTimer(_ => StopIf(isRemoved, stop), null, RemovalLook, RemovalLook);
            try
            {
                var store = stores.Open(place.Location, place.Options);
                var own = context with { Cancellation = stop.Token };
                var resolved = databases.SelectMany(database => Resolve(database, store)).ToList();
                foreach (var outcome in resolved.Count == 0 ? [] : ProtectionHost.Run(resolved, store, Protection(place.CreateContainer), own))
                {
                    Note(outcome);
                }
            }
            finally
            {
                // Waits for a look that goes on, which needs what it stops.
                look.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        }
        catch (BackupException exception)
        {
            databases.ForEach(database => recorder.Fail(Of(StepNames.Protect, database.Path), exception));
        }
    }

    /// <summary>Checks a database; one that cannot be protected is a failed step, and stops no other.</summary>
    private IReadOnlyList<(string Database, BackupDirectory Directory)> Resolve((string Path, BackupDirectory Directory) database, StoreCatalog store)
    {
        try
        {
            return ProtectionHost.Resolve([database], store, context);
        }
        catch (BackupException exception)
        {
            recorder.Fail(Of(StepNames.Protect, database.Path), exception);
            return [];
        }
    }

    private static void StopIf(Func<bool> isRemoved, CancellationTokenSource stop)
    {
        if (isRemoved())
        {
            stop.Cancel();
        }
    }

    private ProtectionOptions Protection(bool createsContainer) => ProtectionOptions.Of(settings.Continuous) with
    {
        CreatesContainer = createsContainer,
        RetentionPolicy = job.RetentionPolicy ?? RetentionPolicy.Daily,
        Encryption = settings.Encryption.ToEncryption(),
        Compression = settings.Compression,
        CompressionLevel = settings.CompressionLevel,
    };

    private void Note(ProtectionOutcome outcome)
    {
        Note(outcome.Database);
        var step = Of(StepNames.Protect, outcome.Database) with { Duration = outcome.Duration, BackupId = outcome.Last?.LastBackup };
        if (outcome.Fault is { } fault)
        {
            recorder.Fail(step, fault);
            return;
        }

        recorder.Succeed(step with
        {
            Detail = string.Create(CultureInfo.InvariantCulture, $"stopped, stored up to transaction {outcome.Last?.StoredTransaction ?? 0}"),
        });
        if (outcome.Last?.LastBackup is { } backup)
        {
            lock (gate)
            {
                made.Add(backup);
            }
        }
    }

    private void BackUp(IReadOnlyList<ScheduleSource> sources)
    {
        using var stores = new StoreSession(context.Clock);
        var options = new ParallelOptions { MaxDegreeOfParallelism = settings.ThrottleLimit, CancellationToken = context.Cancellation };
        try
        {
            Parallel.ForEach(sources, options, source =>
            {
                if (source.Fault is { } fault)
                {
                    recorder.Fail(Of(StepNames.Create, source.Path), fault);
                }
                else
                {
                    BackUp(source.Path, stores);
                }
            });
        }
        catch (AggregateException exception) when (context.Cancellation.IsCancellationRequested)
        {
            // The exception of a step may carry another token, which the loop does not recognise as its own.
            throw new OperationCanceledException(exception.Message, exception, context.Cancellation);
        }
    }

    private void BackUp(string database, StoreSession stores)
    {
        var directory = new BackupDirectory(settings.BackupDirectoryOf(database), context.Clock);
        Note(database);
        BackupMetadata? backup = null;
        recorder.Do(Of(StepNames.Create, database), step =>
        {
            backup = BackupEngine.Create(database, directory, Options(), context);
            Note(backup.DatabasePath);
            lock (gate)
            {
                made.Add(backup.Id);
            }

            return step with
            {
                Detail = $"{backup.Type}",
                BackupId = backup.Id,
                Type = backup.Type,
                Size = backup.Size,
                Ratio = backup.DatabaseSize is > 0 and var whole ? Math.Round((double)backup.Size / whole, 3) : null,
                VerificationLevel = backup.VerificationLevel,
            };
        });
        if (backup is null)
        {
            return;
        }

        var verify = Of(StepNames.Verify, database) with { BackupId = backup.Id, VerificationLevel = backup.VerificationLevel };
        if (backup.Verified)
        {
            recorder.Do(verify, step => step with { Detail = $"{backup.VerificationLevel}, before it was published" });
        }
        else
        {
            recorder.Skip(verify, "switched off");
        }

        foreach (var target in job.LostTargets(settings))
        {
            recorder.Fail(Of(StepNames.Upload, database) with { Target = target, BackupId = backup.Id }, LostTarget(target));
        }

        foreach (var store in settings.Stores.Where(store => store is { Enabled: true, UploadAfterBackup: true }))
        {
            recorder.Do(Of(StepNames.Upload, database) with { Target = store.Location.ToString(), BackupId = backup.Id }, step =>
            {
                var there = stores.Open(store.Location, store.Options);
                BackupEngine.Send(backup, directory, there, () => stores.Prepare(there, store.CreateContainer, context), context);
                return step with { Detail = "sent with the missing parts of its chain" };
            });
        }
    }

    private void Drill(IReadOnlyList<ScheduleSource> sources)
    {
        var newest = new List<BackupMetadata>();
        foreach (var path in Directories)
        {
            recorder.Do(new ScheduleStep { Step = StepNames.List, Target = path }, step =>
            {
                var found = NewestBackups.OfEach(new BackupDirectory(path, context.Clock).List().Backups);
                newest.AddRange(found);
                return step with { Detail = string.Create(CultureInfo.InvariantCulture, $"{found.Count} databases have backups") };
            });
        }

        // The backups of a lost database matter most, so a drill does not depend on which databases exist.
        foreach (var source in job.Databases.Count == 0 ? [] : sources.Where(source => !newest.Exists(backup => backup.DatabasePath == source.Path)))
        {
            recorder.Fail(Of(StepNames.Drill, source.Path), source.Fault ?? new BackupException(
                BackupErrorId.BackupNotFound, source.Path, $"There is no backup of '{source.Path}' for a drill. List the backups with Get-SHBackup."));
        }

        foreach (var backup in newest.Where(backup => job.Databases.Count == 0 || sources.Any(source => source.Path == backup.DatabasePath)))
        {
            Note(backup.DatabasePath);
            var begun = new ScheduleStep
            {
                Step = StepNames.Drill,
                Target = backup.DatabasePath ?? backup.Id,
                Database = backup.DatabasePath,
                BackupId = backup.Id,
            };
            recorder.Do(begun, step =>
            {
                var drill = BackupEngine.Drill(
                    BackupSource.In(new BackupDirectory(backup.BackupDirectory, context.Clock), backup), settings.DrillAssertions, context);
                return drill.Passed
                    ? step with { Detail = string.Create(CultureInfo.InvariantCulture, $"restored in {drill.RestoreTime.TotalSeconds:0.0} s") }
                    : throw DrillBackup.Fault(drill);
            });
        }
    }

    private void Scrub()
    {
        using var stores = new StoreSession(context.Clock);
        Func<StoreCatalog>[] copies =
        [
            .. settings.Stores.Where(store => store.Enabled).Select(store => (Func<StoreCatalog>)(() => stores.Open(store.Location, store.Options))),
        ];
        foreach (var path in Directories)
        {
            recorder.Do(
                new ScheduleStep { Step = StepNames.Scrub, Target = path },
                step => step with { Detail = Scrub(new BackupDirectory(path, context.Clock), copies) });
        }
    }

    private static BackupException LostTarget(string target) => BackupException.InvalidArgument(
        target,
        $"The configuration has no store '{target}' any more, so this schedule's backups are not sent there. Add it with New-SHBackupStore, or register the schedule again with another -To.");

    private static ScheduleStep Of(string step, string database) => new() { Step = step, Target = database, Database = database };

    private string Scrub(BackupDirectory directory, Func<StoreCatalog>[] copies)
    {
        var (began, started) = (context.Clock.GetUtcNow(), context.Clock.GetTimestamp());
        var failed = new List<BackupException>();
        var planned = ScrubPlan.Of(directory, job.ScrubPercent, began, failed.Add);
        var (read, repaired, bytes) = (0, 0, 0L);
        try
        {
            foreach (var backup in planned.TakeWhile(_ => job.ScrubBudget is not { } budget || context.Clock.GetElapsedTime(started) <= budget))
            {
                context.Cancellation.ThrowIfCancellationRequested();
                if (BackupEngine.Scrub(backup, directory, _ => copies, context) is not { } report)
                {
                    continue;
                }

                read++;
                bytes += report.Result.Bytes;
                repaired += report.Result.Outcome == ScrubOutcome.Repaired ? 1 : 0;
                if (report.Fault is { } fault)
                {
                    failed.Add(fault);
                }
            }
        }
        finally
        {
            if (bytes > 0)
            {
                BackupEngine.ScrubEnded(directory, began, context.Clock.GetElapsedTime(started), bytes, context);
            }
        }

        return failed.Count == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{read} of {planned.Count} read, {repaired} of them repaired")
            : throw failed[0];
    }

    private string Prune(BackupDirectory directory)
    {
        var now = context.Clock.GetUtcNow();
        var listing = directory.List();
        var failed = new List<BackupException>(listing.Faults);
        var decisions = RetentionPlan.Decide(listing.Backups, settings.Retention, now).Where(IsConcerned).ToList();
        var outcome = BackupEngine.Prune(BackupCatalog.Of(directory), decisions, settings.Retention, now, failed.Add, context);
        return failed.Count == 0
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{outcome.Count(decision => decision.Action == RetentionAction.Remove)} removed, {outcome.Count(decision => decision.Action == RetentionAction.Keep)} kept")
            : throw failed[0];
    }

    /// <summary>After backups, retention concerns the same databases; in a schedule of its own, all of them.</summary>
    private bool IsConcerned(RetentionDecision decision) =>
        job.Action == ScheduleAction.Retention || (decision.Backup.DatabasePath is { } path && databases.Contains(path));

    private CreateBackupOptions Options() => new()
    {
        Strategy = settings.Incremental.Type,
        MaxIncrements = settings.Incremental.MaxIncrements,
        MaxIncrementShare = settings.Incremental.MaxIncrementShare,
        Compression = settings.Compression,
        CompressionLevel = settings.CompressionLevel,
        RetentionPolicy = job.RetentionPolicy,
        Encryption = settings.Encryption.ToEncryption(),
        RevealContent = settings.Encryption.RevealContent,
        Verify = settings.Verification.VerifyAfterBackup,
        AllowHardLink = settings.AllowHardLink,
    };

    private void Note(string? database)
    {
        lock (gate)
        {
            if (database is not null)
            {
                databases.Add(database);
            }
        }
    }
}
