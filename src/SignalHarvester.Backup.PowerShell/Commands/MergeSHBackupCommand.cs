using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Makes a full backup out of an incremental one, without touching the database.</summary>
/// <remarks>
/// <para>Puts the database image of the backup together from its chain, checks it, and stores it as a full backup in the
/// place of the increment. The backup keeps its id, its moment and its description; what builds on it goes on to do so;
/// what it was built on stays, and can then be removed without further work. A restore of it reads one file.</para>
/// <para>Killed midway, the backup is what it was or what it becomes. A damaged chain is not merged: the error says which
/// link is damaged. A full backup is passed on as it is.</para>
/// </remarks>
/// <example>
/// <para>Make the newest backup a full one</para>
/// <code>Get-SHBackup -Database app.db -Newest 1 | Merge-SHBackup</code>
/// <para>Emits the backup as it is now, of type Full.</para>
/// </example>
/// <example>
/// <para>Take the changes alone, and have a full backup all the same</para>
/// <code>New-SHBackup ./app.db -Type Incremental | Merge-SHBackup -Verbose</code>
/// <para>A synthetic full backup: what did not change comes from the chain.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>New-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsData.Merge, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class MergeSHBackupCommand : DecryptingCommand
{
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, directory) in SelectedHere())
        {
            this.ReportErrors(() =>
            {
                if (ShouldProcess(Named(backup), "Rewrite as a full backup"))
                {
                    WriteObject(Runner.Run(context => BackupEngine.Merge(backup, directory, context)));
                }
            });
        }
    }
}
