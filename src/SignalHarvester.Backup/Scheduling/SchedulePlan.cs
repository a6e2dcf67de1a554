using SignalHarvester.Backup.Scheduling.Schedulers;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>What registering a schedule would do.</summary>
public sealed class SchedulePlan
{
    internal SchedulePlan(ScheduleDefinition definition, IScheduleBackend backend, TaskDefinition task, bool isDone)
    {
        Definition = definition;
        Backend = backend;
        Task = task;
        IsDone = isDone;
    }

    /// <summary>The schedule as it will be kept.</summary>
    public ScheduleDefinition Definition { get; }

    /// <summary>Whether it is registered so already, and nothing is to be done.</summary>
    public bool IsDone { get; }

    /// <summary>All that the operating system is told, to the letter.</summary>
    public string Text => Task.ToString();

    internal IScheduleBackend Backend { get; }

    internal TaskDefinition Task { get; }
}
