using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Scheduling.Schedulers;
using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>The schedules of this machine: registers them with the operating system, lists them, removes them.</summary>
/// <param name="manifest">The full path of the manifest of the module that the tasks load.</param>
/// <param name="clock">The time.</param>
public sealed class ScheduleRegistry(string manifest, TimeProvider clock)
{
    private readonly ScheduleBackends backends = new(clock);

    /// <summary>Plans the registration of a schedule. Changes nothing.</summary>
    /// <param name="wanted">The schedule; its backend may be Auto.</param>
    /// <param name="needsBackend">Whether the scheduler must exist; otherwise only its text is needed.</param>
    /// <exception cref="BackupException">InvalidArgument, SchedulerUnavailable.</exception>
    public SchedulePlan Plan(ScheduleDefinition wanted, bool needsBackend = true)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        ScheduleName.Validate(wanted.Name);
        var backend = needsBackend || wanted.Backend == ScheduleBackend.Auto
            ? backends.Choose(wanted.Backend, wanted.Scope)
            : backends.Of(wanted.Backend);
        RequireUnit(wanted.OnFailure, backend.Kind);
        var definition = wanted with { Backend = backend.Kind, Registered = clock.GetUtcNow(), Command = TaskCommand.Of(wanted, manifest) };
        var known = Known(wanted.Scope, wanted.Name);
        if (known?.Trigger == definition.Trigger)
        {
            // Runs missed since then still have to be made up.
            definition = definition with { Registered = known.Registered };
        }

        var task = backend.Compose(definition);
        var isDone = needsBackend && known is not null && known.IsSameAs(definition) && backend.Status(definition, task) == ScheduleStatus.Registered;
        return new SchedulePlan(definition, backend, task, isDone);
    }

    /// <summary>Registers a schedule, and replaces one of the same name.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="context">Messages; its cancellation stops the wait for other registrations.</param>
    /// <returns>The schedule as it is now.</returns>
    /// <exception cref="BackupException">SchedulerUnavailable, SchedulerFailed, WriteFailed: the former state is restored if possible.</exception>
    public BackupSchedule Apply(SchedulePlan plan, OperationContext context)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(context);
        var store = ScheduleStore.Of(plan.Definition.Scope);
        if (!plan.IsDone)
        {
            using var held = store.Lock(context.Cancellation);
            var former = Known(plan.Definition.Scope, plan.Definition.Name);
            store.Write(plan.Definition);
            try
            {
                if (former is not null && former.Backend == plan.Backend.Kind && former.IsContinuous != plan.Definition.IsContinuous)
                {
                    // Its task has other files, and the new one would leave them.
                    plan.Backend.Remove(former);
                }

                plan.Backend.Install(plan.Definition, plan.Task);
                if (former is not null && former.Backend != plan.Backend.Kind)
                {
                    backends.Of(former.Backend).Remove(former);
                }
            }
            catch
            {
                PutBack(store, plan, former);
                throw;
            }

            if (plan.Backend.Advice(plan.Definition.Scope) is { } advice)
            {
                context.Warn(advice);
            }

            if (plan.Definition is { IsContinuous: true, Backend: ScheduleBackend.Cron, Name: var name })
            {
                context.Warn(
                    $"cron starts '{name}' when the machine starts, and not again if it fails. Start it now with: Invoke-SHBackupSchedule {PowerShellText.Literal(name)}");
            }
        }

        return Describe(plan.Definition, store);
    }

    /// <summary>Lists all schedules, by scope and name.</summary>
    /// <param name="scope">The scope; null for both.</param>
    /// <param name="fault">Called for each unreadable one.</param>
    public IReadOnlyList<BackupSchedule> List(ScheduleScope? scope, Action<BackupException> fault) =>
    [
        .. from one in Scopes(scope)
           let store = ScheduleStore.Of(one)
           from definition in store.List(fault)
           select Describe(definition, store),
    ];

    /// <summary>Whether the machine has schedules that this account may not see.</summary>
    /// <param name="scope">The scope; null for both.</param>
    public static bool HasHidden(ScheduleScope? scope) => scope != ScheduleScope.User && ScheduleStore.Of(ScheduleScope.System).HasHidden();

    /// <summary>Lists all stored schedules, without asking the operating system; unreadable ones are left out.</summary>
    public static IReadOnlyList<ScheduleDefinition> All() => [.. Scopes(null).SelectMany(scope => ScheduleStore.Of(scope).List(_ => { }))];

    /// <summary>Returns one stored schedule.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="scope">The scope; null for the account's schedule, or else the machine's.</param>
    /// <exception cref="BackupException">ScheduleNotFound, ScheduleInvalid.</exception>
    public static ScheduleDefinition Get(string name, ScheduleScope? scope)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Scopes(scope).Select(one => ScheduleStore.Of(one).Find(name)).FirstOrDefault(found => found is not null) ?? throw NotFound(name);
    }

    /// <summary>Returns the error for a missing schedule.</summary>
    public static BackupException NotFound(string name) => new(
        BackupErrorId.ScheduleNotFound, name,
        $"There is no schedule '{name}'. List the schedules with Get-SHBackupSchedule, or register it with Register-SHBackupSchedule.");

    /// <summary>Returns the names of the schedules that were registered under a common name from a settings file.</summary>
    public static IReadOnlyList<string> Group(string group, ScheduleScope scope) =>
        [
            .. All()
                .Where(definition => definition.Scope == scope && string.Equals(definition.Group, group, StringComparison.OrdinalIgnoreCase))
                .Select(definition => definition.Name),
        ];

    /// <summary>Removes a schedule from the operating system, and its files. A run in progress may end; a continuous one is stopped.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="scope">The scope.</param>
    /// <param name="cancellation">Stops the wait for other registrations.</param>
    /// <exception cref="BackupException">ScheduleNotFound, SchedulerUnavailable, SchedulerFailed, WriteFailed.</exception>
    public void Remove(string name, ScheduleScope scope, CancellationToken cancellation)
    {
        var definition = Get(name, scope);
        var store = ScheduleStore.Of(scope);
        using var held = store.Lock(cancellation);
        backends.Of(definition.Backend).Remove(definition);
        store.Delete(definition.Key);
    }

    private static void RequireUnit(string? unit, ScheduleBackend backend)
    {
        if (unit is not null && backend != ScheduleBackend.Systemd)
        {
            throw BackupException.InvalidArgument(
                "OnFailure", $"-OnFailure names a unit of systemd, but {backend} starts this schedule. Omit it, or give -Backend Systemd.");
        }

        if (unit is not null && !SystemdBackend.IsUnitName(unit))
        {
            throw BackupException.InvalidArgument(
                "OnFailure", $"'{SingleLine.Of(unit)}' is not the name of a systemd unit. Give one such as notify@%n.service.");
        }
    }

    private static ScheduleScope[] Scopes(ScheduleScope? scope) => scope is { } one ? [one] : [ScheduleScope.User, ScheduleScope.System];

    /// <summary>Returns the stored schedule of a name; null if there is none, or it cannot be read and so is replaced.</summary>
    private static ScheduleDefinition? Known(ScheduleScope scope, string name)
    {
        try
        {
            return ScheduleStore.Of(scope).Find(name);
        }
        catch (BackupException exception) when (exception is { ErrorId: BackupErrorId.ScheduleInvalid, Category: BackupErrorCategory.InvalidData })
        {
            return null;
        }
    }

    private void PutBack(ScheduleStore store, SchedulePlan plan, ScheduleDefinition? former)
    {
        try
        {
            if (former is null)
            {
                plan.Backend.Remove(plan.Definition);
                store.Delete(plan.Definition.Key);
            }
            else
            {
                store.Write(former);
                var backend = backends.Of(former.Backend);
                backend.Install(former, backend.Compose(former));
            }
        }
        catch (BackupException)
        {
            // The first fault is the one to report; Get-SHBackupSchedule shows what is left of the schedule.
        }
    }

    private BackupSchedule Describe(ScheduleDefinition definition, ScheduleStore store)
    {
        var state = store.ReadState(definition.Key);
        var (status, reason) = StatusOf(definition);
        return new BackupSchedule
        {
            Name = definition.Name,
            Description = definition.Description,
            Action = definition.Job.Action,
            Trigger = definition.Trigger,
            RandomDelay = definition.RandomDelay,
            Backend = definition.Backend,
            Scope = definition.Scope,
            Status = status,
            StatusReason = reason,
            OnFailure = definition.OnFailure,
            DatabasePath = definition.Job.Databases,
            BackupDirectory = definition.Job.BackupDirectory,
            To = definition.Job is { Targets.Count: 0, Upload: { } place } ? [place.ToString()] : definition.Job.Targets,
            ConfigurationPath = definition.Job.ConfigurationPath,
            Type = definition.Job.Type,
            NextRun = definition.IsContinuous ? null : definition.Trigger.Next(clock.GetUtcNow()),
            IsRunning = definition.IsContinuous ? store.IsRunning(definition.Key) : null,
            LastRun = state?.LastRun,
            LastResult = state?.LastResult,
            LastError = state?.LastError,
            LastBackup = state?.LastBackup,
            DefinitionPath = store.PathOf(definition.Key),
        };
    }

    private (ScheduleStatus Status, string? Reason) StatusOf(ScheduleDefinition definition)
    {
        var backend = backends.Of(definition.Backend);
        try
        {
            if (backend.WhyUnusable(definition.Scope) is { } reason)
            {
                return (ScheduleStatus.Unknown, $"{backend.Kind} cannot be asked: {reason}.");
            }

            if (Gone(definition.Command) is { } path)
            {
                return (ScheduleStatus.Broken, $"No run can start, because '{path}' is gone.");
            }

            return backend.Status(definition, backend.Compose(definition)) switch
            {
                ScheduleStatus.Missing => (ScheduleStatus.Missing, $"{backend.Kind} no longer has its task."),
                ScheduleStatus.Registered when IsOutdated(definition.Command) => (
                    ScheduleStatus.Changed,
                    $"Its runs load version {definition.Command.ModuleVersion} of the module, from '{definition.Command.Module}'; this is version {TaskCommand.PresentVersion}."),
                ScheduleStatus.Registered => (ScheduleStatus.Registered, null),
                var other => (
                    other,
                    $"Its task in {backend.Kind} is not the one that would be registered now: somebody edited it, or the module was updated, or the machine's time zone changed."),
            };
        }
        catch (Exception exception) when (exception is BackupException or IOException or UnauthorizedAccessException)
        {
            return (ScheduleStatus.Unknown, $"{backend.Kind} cannot be asked: {exception.Message}");
        }
    }

    private static string? Gone(TaskCommand command) =>
        !File.Exists(command.Program) ? command.Program : command.Module is { } module && !Path.Exists(module) ? module : null;

    /// <summary>Whether a command loads another version of the module than this one, from another place.</summary>
    private bool IsOutdated(TaskCommand command) =>
        command is { Module: { } module, ModuleVersion: { } version } && module != manifest && version != TaskCommand.PresentVersion;
}
