namespace SignalHarvester.Backup;

/// <summary>The operating system's scheduler that starts a schedule's runs.</summary>
public enum ScheduleBackend : long
{
    /// <summary>The machine's scheduler: Task Scheduler on Windows, launchd on macOS, else systemd if it runs, else cron.</summary>
    Auto,

    /// <summary>A systemd timer.</summary>
    Systemd,

    /// <summary>Lines of a crontab.</summary>
    Cron,

    /// <summary>A launchd agent or daemon (macOS).</summary>
    Launchd,

    /// <summary>A task of the Windows Task Scheduler.</summary>
    TaskScheduler,
}
