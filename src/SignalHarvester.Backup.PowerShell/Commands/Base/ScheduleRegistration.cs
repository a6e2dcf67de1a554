using System.Globalization;
using System.Management.Automation;
using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Registers schedules, and shows beforehand what the operating system would get.</summary>
internal static class ScheduleRegistration
{
    /// <summary>Plans a schedule, asks, registers it, and emits it as it is then.</summary>
    /// <param name="cmdlet">The cmdlet.</param>
    /// <param name="runner">Its runner.</param>
    /// <param name="registry">The schedules of this machine.</param>
    /// <param name="definition">The schedule.</param>
    public static void Register(this PSCmdlet cmdlet, OperationRunner runner, ScheduleRegistry registry, ScheduleDefinition definition)
    {
        var plan = runner.Run(_ => registry.Plan(definition, needsBackend: !cmdlet.IsWhatIf));
        var next = definition.Trigger.IsContinuous ? string.Empty : $", next {OnThisClock(definition.Trigger)} on this machine's clock";
        var described =
            $"\"{definition.Name}\" ({definition.Trigger}{next}; {plan.Definition.Backend}), which {definition.Job}";
        if (plan.IsDone)
        {
            cmdlet.WriteVerbose($"'{definition.Name}' is already registered with these settings.");
        }
        else if (!cmdlet.ShouldProcess(
            $"Registering the schedule {described}:{Environment.NewLine}{plan.Text}", $"Register the schedule {described}?", "Register schedule"))
        {
            return;
        }

        cmdlet.WriteObject(runner.Run(context => registry.Apply(plan, context)));
    }

    private static string OnThisClock(ScheduleTrigger trigger) =>
        TimeZoneInfo.ConvertTime(trigger.Next(TimeProvider.System.GetUtcNow()), TimeZoneInfo.Local).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
