using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Binding;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows the registered schedules, with their next run and the result of the last.</summary>
/// <remarks>
/// <para>Status says whether the operating system still has the registered task: Missing or Changed means that somebody
/// removed or edited the task, or that its program has moved. Then register it again.</para>
/// <para>A continuous schedule has no next run; IsRunning says whether it runs now, and Get-SHBackupProtection how its databases are.</para>
/// <para>The history of all runs is in the backup directory: Get-SHBackupHistory.</para>
/// </remarks>
/// <example>
/// <para>Show all schedules</para>
/// <code>Register-SHBackupSchedule hourly -Every '1h' -DatabasePath ./app.db -BackupDirectory ./backups | Out-Null; Get-SHBackupSchedule</code>
/// <para>Shows the new schedule among the others.</para>
/// </example>
/// <example>
/// <para>Show the schedules whose last run failed</para>
/// <code>Get-SHBackupSchedule | Where-Object { $_.LastResult -in 'Failed', 'Partial' } | ForEach-Object { "$($_.Name): $($_.LastError)" }; 'checked'</code>
/// <para>LastError is the first error of the run.</para>
/// </example>
/// <seealso>Register-SHBackupSchedule</seealso>
/// <seealso>Get-SHBackupHistory</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupSchedule", HelpUri = HelpPages.Folder + "Get-SHBackupSchedule.md")]
[OutputType(typeof(BackupSchedule))]
public sealed class GetSHBackupScheduleCommand : ScheduleCommand
{
    /// <summary>Names of schedules. Wildcards match several, but not in pipeline input. Without it, all. Tab completes them.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ScheduleNameCompleter))]
    [SupportsWildcards]
    [NameOf(typeof(BackupSchedule))]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            WriteObject(this.StopOnError(() => Find(name)), enumerateCollection: true);
        }
    }
}
