namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>The schedulers, and which of them this machine has.</summary>
internal sealed class ScheduleBackends(TimeProvider clock)
{
    private readonly IScheduleBackend[] all = [new TaskSchedulerBackend(), new LaunchdBackend(clock), new SystemdBackend(), new CronBackend(clock)];

    /// <summary>Returns a scheduler, whether it can be used or not.</summary>
    public IScheduleBackend Of(ScheduleBackend kind) => Array.Find(all, backend => backend.Kind == kind)!;

    /// <summary>Returns the wanted scheduler; for Auto, the first one that can be used here.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable.</exception>
    public IScheduleBackend Choose(ScheduleBackend wanted, ScheduleScope scope)
    {
        ScheduleBackend[] candidates =
            wanted != ScheduleBackend.Auto ? [wanted]
            : OperatingSystem.IsWindows() ? [ScheduleBackend.TaskScheduler]
            : OperatingSystem.IsMacOS() ? [ScheduleBackend.Launchd]
            : [ScheduleBackend.Systemd, ScheduleBackend.Cron];
        var reasons = new List<string>();
        foreach (var candidate in candidates)
        {
            if (Of(candidate).WhyUnusable(scope) is not { } reason)
            {
                return Of(candidate);
            }

            reasons.Add(wanted == ScheduleBackend.Auto ? $"{candidate}: {reason}" : reason);
        }

        throw new BackupException(
            BackupErrorId.SchedulerUnavailable, wanted,
            $"{(wanted == ScheduleBackend.Auto ? $"No scheduler can be used here ({string.Join("; ", reasons)})" : $"{wanted} cannot be used here: {reasons[0]}")}. Give another -Backend or -Scope, or use -AsText and register its output by hand.");
    }
}
