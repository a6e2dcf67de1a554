using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Removes schedules from the operating system, with their definitions and states.</summary>
/// <remarks>
/// <para>Removes exactly what Register-SHBackupSchedule created. Backups and their history stay, and a run in progress continues to its end.
/// A continuous one (-Continuous) is stopped: it stores what is left, and ends.</para>
/// </remarks>
/// <example>
/// <para>Remove a schedule</para>
/// <code>Register-SHBackupSchedule gone -Daily -DatabasePath ./app.db -BackupDirectory ./backups | Unregister-SHBackupSchedule -Force -PassThru</code>
/// <para>-Force skips the question; -PassThru emits the removed schedule.</para>
/// </example>
/// <example>
/// <para>Preview the removal</para>
/// <code>
/// Register-SHBackupSchedule old-daily -Daily -DatabasePath ./app.db -BackupDirectory ./backups | Out-Null;
/// Unregister-SHBackupSchedule old-* -WhatIf
/// </code>
/// <para>Lists each schedule, and removes none.</para>
/// </example>
/// <seealso>Register-SHBackupSchedule</seealso>
/// <seealso>Get-SHBackupSchedule</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsLifecycle.Unregister, "SHBackupSchedule", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High,
    HelpUri = HelpPages.Folder + "Unregister-SHBackupSchedule.md")]
[OutputType(typeof(BackupSchedule))]
public sealed class UnregisterSHBackupScheduleCommand : ScheduleCommand
{
    /// <summary>Names of schedules. Wildcards match several, but not in pipeline input. Tab completes them. Accepts schedules from the pipeline.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ScheduleNameCompleter))]
    [SupportsWildcards]
    [NameOf(typeof(BackupSchedule))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <summary>Removes without asking.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Emits the removed schedules.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var schedule in Name.SelectMany(name => this.StopOnError(() => Find(name))))
        {
            if (!this.ShouldProcessUnlessForced(Force, $"{schedule.Name} ({schedule.Trigger}, {schedule.Backend})", "Unregister schedule"))
            {
                continue;
            }

            this.ReportErrors(() =>
            {
                var removed = Runner.Run(context =>
                {
                    Registry.Remove(schedule.Name, schedule.Scope, context.Cancellation);
                    return schedule;
                });
                if (PassThru)
                {
                    WriteObject(removed);
                }
            });
        }
    }
}
