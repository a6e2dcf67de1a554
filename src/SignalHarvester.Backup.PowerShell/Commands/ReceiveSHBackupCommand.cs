using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Fetches backups from an object store into a backup directory.</summary>
/// <remarks>
/// <para>Fetches a backup with its chain. Each file is compared with its SHA-256 and published like a new backup; files
/// that exist here are not fetched again. The next run resumes a broken transfer.</para>
/// <para>It changes nothing in the store, and needs no record on this machine: the store's own sidecars are enough.</para>
/// </remarks>
/// <example>
/// <para>Fetch the newest backup from a second disk</para>
/// <code>
/// Get-SHBackup -Newest 1 | Send-SHBackup -To ./offsite -CreateContainer | Out-Null;
/// Get-SHBackup -From ./offsite -Newest 1 | Receive-SHBackup -BackupDirectory ./fetched
/// </code>
/// <para>Emits the backup in ./fetched, with From and To, the number and size of the copied files, and the duration.</para>
/// </example>
/// <example>
/// <para>Preview the download</para>
/// <code>
/// Get-SHBackup | Send-SHBackup -To ./offsite -CreateContainer | Out-Null;
/// Receive-SHBackup -Id backup_* -From ./offsite -BackupDirectory ./fetched -WhatIf
/// </code>
/// <para>Lists each backup there.</para>
/// </example>
/// <seealso>Send-SHBackup</seealso>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsCommunications.Receive, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = ObjectSet,
    HelpUri = HelpPages.Folder + "Receive-SHBackup.md")]
[OutputType(typeof(BackupTransferResult))]
public sealed class ReceiveSHBackupCommand : BackupInputCommand, IConfigurationOptional
{
    private readonly StoreParameters storeParameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public ReceiveSHBackupCommand() => AddSource(storeParameters);

    /// <summary>
    /// Ignores the configuration file and the SHBACKUP_ environment variables, so that an error in them does not stop a
    /// restore: give the needed values as parameters, such as -BackupDirectory, and the address of the store with -From.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, catalog) in Selected(storeParameters, remote: true))
        {
            this.ReportErrors(() =>
            {
                if (ShouldProcess($"{Named(backup)} ({ProgressView.Size(backup.Size)}) in {catalog}", $"Receive into {catalog.Home.Path}"))
                {
                    WriteObject(Runner.Run(context => BackupEngine.Receive(backup, catalog.Store!, catalog.Home, context)));
                }
            });
        }
    }
}
