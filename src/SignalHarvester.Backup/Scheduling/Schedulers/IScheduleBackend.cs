namespace SignalHarvester.Backup.Scheduling.Schedulers;

/// <summary>One scheduler of an operating system.</summary>
internal interface IScheduleBackend
{
    /// <summary>Which one.</summary>
    ScheduleBackend Kind { get; }

    /// <summary>Whether it starts a task a random time late by itself; else the run waits.</summary>
    bool DelaysAtRandom { get; }

    /// <summary>Why it cannot be used here, as a clause; null if it can.</summary>
    string? WhyUnusable(ScheduleScope scope);

    /// <summary>What keeps its tasks from running although they are registered, as a sentence; null if nothing is known.</summary>
    string? Advice(ScheduleScope scope);

    /// <summary>What it must get.</summary>
    TaskDefinition Compose(ScheduleDefinition definition);

    /// <summary>Whether it has got that.</summary>
    ScheduleStatus Status(ScheduleDefinition definition, TaskDefinition wanted);

    /// <summary>Registers the task, replacing an earlier one of that schedule.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable, SchedulerFailed, WriteFailed.</exception>
    void Install(ScheduleDefinition definition, TaskDefinition wanted);

    /// <summary>Removes that schedule from it. An unknown one is no error.</summary>
    /// <exception cref="BackupException">SchedulerUnavailable, SchedulerFailed, WriteFailed.</exception>
    void Remove(ScheduleDefinition definition);
}
