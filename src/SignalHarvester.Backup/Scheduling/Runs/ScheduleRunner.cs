using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.History;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Scheduling.Schedulers;

namespace SignalHarvester.Backup.Scheduling.Runs;

/// <summary>
/// One run of a schedule from its start to its record. During its lifetime no second run of the same schedule begins.
/// </summary>
public sealed class ScheduleRunner : IDisposable
{
    // Clocks are often corrected by less than that.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromHours(1);

    private readonly ScheduleDefinition definition;
    private readonly ScheduleStore store;
    private readonly TimeProvider clock;
    private readonly SafeFileHandle? held;
    private readonly ScheduleState? before;
    private readonly DateTimeOffset? due;
    private readonly RunLog log;
    private readonly bool isNotDue;

    /// <summary>Begins a run, if there is something to do.</summary>
    /// <param name="definition">The schedule.</param>
    /// <param name="onlyIfDue">Whether the run needs a due moment that no run has served.</param>
    /// <param name="clock">The time.</param>
    public ScheduleRunner(ScheduleDefinition definition, bool onlyIfDue, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(clock);
        this.definition = definition;
        this.clock = clock;
        log = new RunLog(definition.Name, clock);
        store = ScheduleStore.Of(definition.Scope);
        held = store.TryLock(definition.Key);
        before = store.ReadState(definition.Key);
        due = definition.Trigger.Due(ServedUntil(clock.GetUtcNow()), clock.GetUtcNow());
        isNotDue = held is not null && onlyIfDue && due is null && !definition.IsContinuous;
        WhyNot =
            held is null ? "another run of it is in progress" :
            isNotDue ? string.Create(
                CultureInfo.InvariantCulture, $"it is not due before {definition.Trigger.Next(clock.GetUtcNow()).UtcDateTime:yyyy-MM-dd HH:mm} UTC") :
            null;
    }

    /// <summary>The reason why there is nothing to do; null if there is something.</summary>
    public string? WhyNot { get; }

    /// <summary>Whether there is nothing to do because another run is in progress.</summary>
    public bool IsRunningElsewhere => held is null;

    /// <summary>Its settings.</summary>
    /// <param name="configured">The settings of the file.</param>
    public BackupSettings Settings(BackupSettings configured) => definition.Job.Over(configured);

    /// <summary>Waits the random time, if the scheduler does not do that by itself.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Delay(OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (definition.RandomDelay > TimeSpan.Zero && !new ScheduleBackends(clock).Of(definition.Backend).DelaysAtRandom)
        {
            var delay = TimeSpan.FromSeconds(RandomNumberGenerator.GetInt32((int)definition.RandomDelay.TotalSeconds + 1));
            context.Verbose($"The run is delayed by {delay}.");
            Task.Delay(delay, context.Clock, context.Cancellation).GetAwaiter().GetResult();
        }
    }

    /// <summary>Runs the steps of the schedule, and stores the result.</summary>
    /// <param name="sources">The databases.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="fault">Called for each failure.</param>
    /// <param name="context">Clock, messages, cancellation.</param>
    /// <exception cref="OperationCanceledException">It was stopped; the moment does not count as served.</exception>
    public ScheduleRun Run(IReadOnlyList<ScheduleSource> sources, BackupSettings settings, Action<BackupException> fault, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(context);
        return Record(recorder =>
        {
            var run = new ScheduledWork(definition.Job, settings, recorder, context with { Schedule = definition.Name });
            if (definition.IsContinuous)
            {
                run.Protect(sources, () => !store.Has(definition.Key));
                return (run.Made, run.Databases);
            }

            run.Run(sources);
            new ExportMetrics(definition, settings, recorder, context).Run(run.Directories, run.Databases);
            return (run.Made, run.Databases);
        }, fault, settings, context);
    }

    /// <summary>Stores that a run failed before its first step.</summary>
    public ScheduleRun Fail(BackupException reason, OperationContext context) => Record(recorder =>
    {
        recorder.Fail(new ScheduleStep { Step = StepNames.Settings, Target = definition.Job.ConfigurationPath }, reason);
        return ([], []);
    }, _ => { }, settings: null, context);

    /// <summary>Returns the record of a run that had nothing to do.</summary>
    /// <param name="reason">Why, as a clause.</param>
    /// <param name="context">Where the log goes. That it is not due yet is no news: some schedulers start it several times a day.</param>
    public ScheduleRun Skip(string reason, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var run = new ScheduleRun
        {
            Name = definition.Name,
            Started = clock.GetUtcNow(),
            Result = ScheduleResult.Skipped,
            Reason = reason,
        };
        if (!isNotDue)
        {
            context.Log(log.Of(run));
        }

        return run;
    }

    /// <inheritdoc/>
    public void Dispose() => held?.Dispose();

    /// <summary>
    /// The last served moment: nothing before it is due. A moment in the future comes from a wrong clock and is ignored;
    /// otherwise there would be no backup until then.
    /// </summary>
    private DateTimeOffset ServedUntil(DateTimeOffset now) => new[] { definition.Registered, before?.Served ?? DateTimeOffset.MinValue }
        .Where(moment => moment <= now + ClockSlack)
        .DefaultIfEmpty(DateTimeOffset.MinValue)
        .Max();

    private ScheduleRun Record(
        Func<StepRecorder, (IReadOnlyList<string> Made, IReadOnlyCollection<string> Databases)> work, Action<BackupException> fault, BackupSettings? settings,
        OperationContext context) =>
        // The history has the start and the end of continuous protection, database by database; a run of weeks is no duration to average.
        definition.IsContinuous ? Keep(work, fault, context) : OperationRecorder.Run(
        new BackupEvent { Operation = BackupOperation.Schedule, Schedule = definition.Name },
        settings is null ? null : new BackupDirectory(settings.BackupDirectory, clock),
        context,
        () => Keep(work, fault, context),
        run => Event(run, isSecret: settings?.Encryption is { Recipients.Count: > 0, RevealContent: false }));

    private BackupEvent Event(ScheduleRun run, bool isSecret)
    {
        var failed = run.Steps.FirstOrDefault(step => step.Result == ScheduleResult.Failed);
        return new BackupEvent
        {
            Operation = BackupOperation.Schedule,
            Schedule = definition.Name,
            Status = failed is null ? BackupEventStatus.Success : BackupEventStatus.Failed,
            ErrorId = failed?.ErrorId,
            ErrorMessage = OperationRecorder.WithoutContent(failed?.ErrorId, failed?.Detail, isSecret),
        };
    }

    private ScheduleRun Keep(
        Func<StepRecorder, (IReadOnlyList<string> Made, IReadOnlyCollection<string> Databases)> work, Action<BackupException> fault, OperationContext context)
    {
        var started = clock.GetUtcNow();
        var timer = Stopwatch.GetTimestamp();
        var recorder = new StepRecorder(step => context.Log(log.Of(step)));
        IReadOnlyList<string> made;
        IReadOnlyCollection<string> databases;
        try
        {
            (made, databases) = work(recorder);
        }
        catch (OperationCanceledException)
        {
            context.Log(log.Stopped());
            throw;
        }

        foreach (var one in recorder.Faults)
        {
            fault(one);
        }

        var run = new ScheduleRun
        {
            Name = definition.Name,
            Started = started,
            Duration = Stopwatch.GetElapsedTime(timer),
            Result = Result(recorder.Steps),
            Steps = recorder.Steps,
            Backups = made,
        };
        try
        {
            store.WriteState(definition.Key, new ScheduleState
            {
                Served = due ?? before?.Served,
                LastRun = started,
                LastResult = run.Result,
                LastError = run.Steps.FirstOrDefault(step => step.Result == ScheduleResult.Failed)?.Detail,
                Databases = [.. databases],
                LastBackup = made.Count > 0 ? made[^1] : before?.LastBackup,
            });
        }
        catch (BackupException exception)
        {
            // The backups count, not their record.
            context.Warn($"The result of the run could not be saved: {exception.Message}");
        }

        context.Log(log.Of(run));
        return run;
    }

    /// <summary>Failed if everything failed, Partial if a part failed.</summary>
    private ScheduleResult Result(IReadOnlyList<ScheduleStep> steps)
    {
        var purpose = definition.Job.Action switch
        {
            ScheduleAction.Backup => StepNames.Create,
            ScheduleAction.Drill => StepNames.Drill,
            ScheduleAction.Scrub => StepNames.Scrub,
            ScheduleAction.Protect => StepNames.Protect,
            _ => StepNames.Retention,
        };
        return !steps.Any(step => step.Step == purpose && step.Result == ScheduleResult.Succeeded) ? ScheduleResult.Failed
            : steps.Any(step => step.Result == ScheduleResult.Failed) ? ScheduleResult.Partial
            : steps.Any(step => step.Result == ScheduleResult.Warning) ? ScheduleResult.Warning
            : ScheduleResult.Succeeded;
    }
}
