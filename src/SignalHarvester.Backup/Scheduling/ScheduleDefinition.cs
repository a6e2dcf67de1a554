using SignalHarvester.Backup.Text;

namespace SignalHarvester.Backup.Scheduling;

/// <summary>A stored schedule: the operating system's task carries only its name, and a run reads the rest here.</summary>
public sealed record ScheduleDefinition
{
    /// <summary>The version of this form.</summary>
    public int FormatVersion { get; init; } = 1;

    /// <summary>The name, any text.</summary>
    public required string Name { get; init; }

    /// <summary>A note for people.</summary>
    public string? Description { get; init; }

    /// <summary>When it is due.</summary>
    public required ScheduleTrigger Trigger { get; init; }

    /// <summary>The longest random delay of a run.</summary>
    public TimeSpan RandomDelay { get; init; }

    /// <summary>The scheduler that starts it; never Auto once it is stored.</summary>
    public ScheduleBackend Backend { get; init; }

    /// <summary>Its scope: a user or the machine.</summary>
    public ScheduleScope Scope { get; init; }

    /// <summary>The systemd unit that starts when a run fails; null for none.</summary>
    public string? OnFailure { get; init; }

    /// <summary>The time of its registration: no earlier moment counts as missed.</summary>
    public DateTimeOffset Registered { get; init; }

    /// <summary>The common name of all schedules that were registered from one settings file; null for a single one.</summary>
    public string? Group { get; init; }

    /// <summary>The job.</summary>
    public required ScheduleJob Job { get; init; }

    /// <summary>The command that the scheduler starts.</summary>
    public TaskCommand Command { get; init; } = new(string.Empty, [], new Dictionary<string, string>());

    /// <summary>Whether it runs always, instead of at certain times.</summary>
    internal bool IsContinuous => Trigger.IsContinuous;

    /// <summary>The form of the name for file names and the like.</summary>
    internal string Key => ScheduleName.Key(Name);

    /// <summary>Whether another one is the same, apart from its time of registration.</summary>
    internal bool IsSameAs(ScheduleDefinition other) =>
        ScheduleJson.Write(this with { Registered = default }) == ScheduleJson.Write(other with { Registered = default });

    /// <summary>The title that schedulers show.</summary>
    internal string Title =>
        SingleLine.Of($"SignalHarvester.Backup schedule \"{Name}\", {Trigger}{(string.IsNullOrWhiteSpace(Description) ? string.Empty : ": " + Description)}.");
}
