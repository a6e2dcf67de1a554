using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Copies backups into an object store.</summary>
/// <remarks>
/// <para>The missing parts of the chain are sent first, then the backup's file, then its sidecar, so every listed backup
/// can be restored from the store alone. Existing objects are not sent again, and nothing is overwritten. The next run
/// resumes a broken upload after checking that the file and the arrived parts are unchanged.</para>
/// <para>The file's SHA-256 is compared with the record while it is read, and the store's own checksum with the file
/// after it has arrived. The backup then records the copy: CloudUrl and CloudProvider name the first one, Copies lists
/// all.</para>
/// <para>Credentials come from the platform's own chain, never from a parameter. A missing bucket or container is an error
/// unless -CreateContainer is given.</para>
/// </remarks>
/// <example>
/// <para>Send the newest backup to a second disk</para>
/// <code>Get-SHBackup -Newest 1 | Send-SHBackup -To ./offsite -CreateContainer</code>
/// <para>Emits the backup, which now records its copy, with From and To, the number and size of the copied files, and the duration.</para>
/// </example>
/// <example>
/// <para>Preview the upload</para>
/// <code>Get-SHBackup | Where-Object CloudUrl -eq $null | Send-SHBackup -To s3://my-backups/machine1/ -WhatIf</code>
/// <para>Lists each backup that has no copy yet.</para>
/// </example>
/// <seealso>Receive-SHBackup</seealso>
/// <seealso>New-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(
    VerbsCommunications.Send, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = ObjectSet,
    HelpUri = HelpPages.Folder + "Send-SHBackup.md")]
[OutputType(typeof(BackupTransferResult))]
public sealed class SendSHBackupCommand : BackupInputCommand
{
    private readonly UploadParameters storeParameters = new();

    /// <summary>Makes the cmdlet.</summary>
    public SendSHBackupCommand()
    {
        AddParameters(new TargetParameters());
        AddParameters(storeParameters);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var named = this.StopOnError(() => Stores(storeParameters).AllNamed);
        var stores = this.StopOnError(() =>
            named.Count == 0 ? [OpenStore(storeParameters)] : named.Select(place => OpenStore(storeParameters, place)).ToList());
        foreach (var (backup, catalog) in SelectedHere())
        {
            foreach (var store in stores)
            {
                this.ReportErrors(() =>
                {
                    if (ShouldProcess($"{Named(backup)} ({ProgressView.Size(backup.Size)})", $"Send to {store.Location}"))
                    {
                        WriteObject(Send(backup, catalog.Home, store, storeParameters));
                    }
                });
            }
        }
    }
}
