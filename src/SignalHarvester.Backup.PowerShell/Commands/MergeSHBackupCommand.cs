using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Makes a full backup of an incremental one, without touching the database.</summary>
/// <remarks>
/// <para>Assembles the database image of the backup from its chain, checks it, and stores it as a full backup in place of
/// the increment. The backup keeps its id, its moment and its description; other backups still build on it; its former
/// chain stays, and can then be removed without folding. A restore of it reads one file.</para>
/// <para>If it is killed midway, the backup is either the old one or the new one. A damaged chain is not merged: the
/// error names the damaged link. A full backup passes through unchanged.</para>
/// </remarks>
/// <example>
/// <para>Make the newest backup a full one</para>
/// <code>Get-SHBackup -Database app.db -Newest 1 | Merge-SHBackup</code>
/// <para>Emits the changed backup, of type Full.</para>
/// </example>
/// <example>
/// <para>Make a full backup, but read only the changes</para>
/// <code>New-SHBackup ./app.db -Type Incremental | Merge-SHBackup -Verbose</code>
/// <para>Makes a synthetic full backup: unchanged pages come from the chain.</para>
/// </example>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>New-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsData.Merge, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = ObjectSet, HelpUri = HelpPages.Folder + "Merge-SHBackup.md")]
[OutputType(typeof(BackupMetadata))]
public sealed class MergeSHBackupCommand : DecryptingCommand
{
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, catalog) in SelectedHere())
        {
            this.ReportErrors(() =>
            {
                if (ShouldProcess(Named(backup), "Rewrite as a full backup"))
                {
                    WriteObject(Runner.Run(context => BackupEngine.Merge(backup, catalog.Home, context)));
                }
            });
        }
    }
}
