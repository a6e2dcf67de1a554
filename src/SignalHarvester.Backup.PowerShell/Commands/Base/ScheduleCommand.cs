using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The base of the cmdlets that work on registered schedules.</summary>
public abstract class ScheduleCommand : OperationCommand
{
    private readonly HashSet<object?> told = [];
    private bool isHiddenTold;
    private bool isNameGiven;

    /// <summary>The account's schedules (User) or the machine's (System). Without it, both.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [FromProperty(typeof(ScheduleScope), "Give User or System, or omit it for both.")]
    public ScheduleScope? Scope { get; set; }

    private protected ScheduleRegistry Registry => new(ManifestPath(this), TimeProvider.System);

    /// <summary>Returns the path of the manifest of this cmdlet's module, which the tasks load.</summary>
    internal static string ManifestPath(PSCmdlet command) =>
        Path.Combine(command.MyInvocation.MyCommand.Module.ModuleBase, command.MyInvocation.MyCommand.ModuleName + ".psd1");

    /// <inheritdoc/>
    protected override void BeginProcessing() =>
        isNameGiven = this.IsGivenAsText("Name");

    /// <summary>
    /// Finds the schedules of a name, with wildcards; a name without a schedule is an error. Pipeline input is taken literally: data
    /// from a file must not select more than it names.
    /// </summary>
    private protected IReadOnlyList<BackupSchedule> Find(string name)
    {
        var faults = new List<BackupException>();
        var isLiteral = !isNameGiven && this.IsBound("Name");
        var found = Runner.Run(_ => Registry.List(Scope, faults.Add))
            .Where(
                schedule => isLiteral ? string.Equals(name, schedule.Name, StringComparison.OrdinalIgnoreCase) : CmdletParameters.Matches(name, schedule.Name))
            .ToList();

        // Each unreadable file is reported once in a call, however many names were given.
        foreach (var fault in faults.Where(fault => told.Add(fault.Target)))
        {
            WriteError(fault.ToRecord());
        }

        if (!isHiddenTold && ScheduleRegistry.HasHidden(Scope))
        {
            isHiddenTold = true;
            WriteWarning(
                "The machine has schedules that this account may not see. Run the command as root or administrator to see them, or with -Scope User to see only this account's.");
        }

        if (found.Count == 0 && (isLiteral || !WildcardPattern.ContainsWildcardCharacters(name)))
        {
            WriteError(ScheduleRegistry.NotFound(name).ToRecord());
        }

        return found;
    }
}
