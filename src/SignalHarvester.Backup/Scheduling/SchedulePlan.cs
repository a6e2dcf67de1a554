using SignalHarvester.Backup.Scheduling.Schedulers;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>The effect of registering a schedule.</summary>
public sealed class SchedulePlan
{
    internal SchedulePlan(ScheduleDefinition definition, IScheduleBackend backend, TaskDefinition task, bool isDone)
    {
        Definition = definition;
        Backend = backend;
        Task = task;
        IsDone = isDone;
    }

    /// <summary>The schedule in its stored form.</summary>
    public ScheduleDefinition Definition { get; }

    /// <summary>Whether it is already registered with these settings, so that nothing is to be done.</summary>
    public bool IsDone { get; }

    /// <summary>Exactly what the operating system gets, as text.</summary>
    public string Text => Task.ToString();

    internal IScheduleBackend Backend { get; }

    internal TaskDefinition Task { get; }
}
