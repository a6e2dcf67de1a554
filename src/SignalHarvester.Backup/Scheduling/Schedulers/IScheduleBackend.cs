namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>One scheduler of an operating system.</summary>
internal interface IScheduleBackend
{
    /// <summary>The kind of scheduler.</summary>
    ScheduleBackend Kind { get; }

    /// <summary>Whether it adds the random delay of a task by itself; if not, the run waits.</summary>
    bool DelaysAtRandom { get; }

    /// <summary>Returns why it cannot be used here, as a clause; null if it can.</summary>
    string? WhyUnusable(ScheduleScope scope);

    /// <summary>Returns what prevents registered tasks from running, as a sentence; null if nothing is known.</summary>
    string? Advice(ScheduleScope scope);

    /// <summary>Makes the task that the scheduler must have for a schedule.</summary>
    TaskDefinition Compose(ScheduleDefinition definition);

    /// <summary>Compares the scheduler's task with that one.</summary>
    ScheduleStatus Status(ScheduleDefinition definition, TaskDefinition wanted);

    /// <summary>Registers the task, replacing an earlier one of that schedule.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable, SchedulerFailed, WriteFailed.</exception>
    void Install(ScheduleDefinition definition, TaskDefinition wanted);

    /// <summary>Removes the task of a schedule, and stops it if it is continuous. An unknown one is no error.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable, SchedulerFailed, WriteFailed.</exception>
    void Remove(ScheduleDefinition definition);
}
