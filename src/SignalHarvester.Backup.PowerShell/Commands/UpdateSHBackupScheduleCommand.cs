using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;
using SignalHarvester.Backup.Scheduling;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Registers schedules again, unchanged, with the PowerShell and the module of this session.</summary>
/// <remarks>
/// <para>A task starts one program and loads one module, each by its path. After an update that moved either, after a change of the
/// machine's time zone, or if somebody edited or removed the task, Get-SHBackupSchedule shows Broken, Changed or Missing, and this
/// repairs it. What the schedule does, and when, stays as it was registered.</para>
/// </remarks>
/// <example>
/// <para>After an update of the module or of PowerShell</para>
/// <code>
/// Register-SHBackupSchedule renewed -Daily -DatabasePath ./app.db -BackupDirectory ./backups | Out-Null;
/// Update-SHBackupSchedule renewed*
/// </code>
/// <para>Emits each schedule as it is now. One that needs nothing is left alone.</para>
/// </example>
/// <example>
/// <para>Choose them from the list</para>
/// <code>
/// Register-SHBackupSchedule stale -Daily -DatabasePath ./app.db -BackupDirectory ./backups | Out-Null;
/// Get-SHBackupSchedule stale* | Where-Object Status -ne Unknown | Update-SHBackupSchedule
/// </code>
/// <para>-WhatIf shows what the operating system would get, and changes nothing.</para>
/// </example>
/// <seealso>Get-SHBackupSchedule</seealso>
/// <seealso>Register-SHBackupSchedule</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsData.Update, "SHBackupSchedule", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "Update-SHBackupSchedule.md")]
[OutputType(typeof(BackupSchedule))]
public sealed class UpdateSHBackupScheduleCommand : ScheduleCommand
{
    /// <summary>Names of schedules. Wildcards match several, but not in pipeline input. Tab completes them. Accepts schedules from the pipeline.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ScheduleNameCompleter))]
    [SupportsWildcards]
    [NameOf(typeof(BackupSchedule))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var schedule in Name.SelectMany(name => this.StopOnError(() => Find(name))))
        {
            this.ReportErrors(() => this.Register(Runner, Registry, ScheduleRegistry.Get(schedule.Name, schedule.Scope)));
        }
    }
}
