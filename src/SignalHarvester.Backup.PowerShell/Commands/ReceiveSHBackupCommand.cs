using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Brings backups back from an object store into a backup directory.</summary>
/// <remarks>
/// <para>A backup is fetched with all that it builds on. Each file is held against its SHA-256 and published like a backup
/// that was made here; what is here already is not fetched again. A transfer that breaks is gone on with by the next run.</para>
/// <para>Nothing in the store is changed, and no record on this machine is needed: the store's own sidecars are enough.</para>
/// </remarks>
/// <example>
/// <para>Fetch the newest backup from a second disk</para>
/// <code>Get-SHBackup -Newest 1 | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer | Out-Null; Get-SHBackup -Remote -Provider Directory -Container ./offsite -Newest 1 | Receive-SHBackup -BackupDirectory ./fetched</code>
/// <para>Emits the backup as it lies in ./fetched.</para>
/// </example>
/// <example>
/// <para>See what would be fetched</para>
/// <code>Get-SHBackup | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer | Out-Null; Receive-SHBackup -Id backup_* -Provider Directory -Container ./offsite -BackupDirectory ./fetched -WhatIf</code>
/// <para>Names each backup there.</para>
/// </example>
/// <seealso>Send-SHBackup</seealso>
/// <seealso>Get-SHBackup</seealso>
/// <seealso>Restore-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommunications.Receive, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class ReceiveSHBackupCommand : BackupInputCommand, IDynamicParameters, IConfigurationOptional
{
    private readonly StoreParameters cloud = new();

    /// <summary>
    /// Looks at neither the configuration file nor the SHBACKUP_ environment variables, so that a mistake in them is in nobody's
    /// way: what is needed is given by parameters, such as -BackupDirectory, -Provider and -Container.
    /// </summary>
    [Parameter]
    public SwitchParameter NoConfiguration { get; set; }

    /// <summary>The parameters of the object store.</summary>
    public object GetDynamicParameters() => cloud;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var (backup, catalog) in Selected(cloud, remote: true))
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
