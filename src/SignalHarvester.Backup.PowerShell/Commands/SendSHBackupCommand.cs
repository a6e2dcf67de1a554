using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Stores;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Copies backups into an object store.</summary>
/// <remarks>
/// <para>What a backup builds on is sent first, if it is not there; then its file, then its sidecar, so that whatever is
/// listed there can be restored from there alone. What is there already is not sent again, and nothing is overwritten. An
/// upload that breaks is gone on with by the next run, once it is certain that the file and what has arrived are unchanged.</para>
/// <para>The file's SHA-256 is held against what was recorded while it is read, and the store's own checksum against the
/// file once it has arrived. The backup then knows the copy: CloudUrl and CloudProvider say where the first one is, Copies
/// lists all.</para>
/// <para>Credentials come from the platform's own chain, never from a parameter. A missing bucket or container is an error
/// unless -CreateContainer is given.</para>
/// </remarks>
/// <example>
/// <para>Send the newest backup to a second disk</para>
/// <code>Get-SHBackup -Newest 1 | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer</code>
/// <para>Emits the backup, which knows its copy now.</para>
/// </example>
/// <example>
/// <para>See what would be sent</para>
/// <code>Get-SHBackup | Where-Object CloudUrl -eq $null | Send-SHBackup -Provider S3 -Bucket my-backups -Prefix machine1/ -WhatIf</code>
/// <para>Names each backup that has no copy yet.</para>
/// </example>
/// <seealso>Receive-SHBackup</seealso>
/// <seealso>New-SHBackup</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommunications.Send, "SHBackup", SupportsShouldProcess = true, DefaultParameterSetName = IdSet)]
[OutputType(typeof(BackupMetadata))]
public sealed class SendSHBackupCommand : BackupInputCommand, IDynamicParameters
{
    private readonly UploadParameters cloud = new();

    /// <summary>The parameters of the object store.</summary>
    public object GetDynamicParameters() => cloud;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var store = this.StopOnError(() => OpenStore(cloud));
        foreach (var (backup, directory) in SelectedHere())
        {
            this.ReportErrors(() =>
            {
                if (ShouldProcess($"{Named(backup)} ({ProgressView.Size(backup.Size)})", $"Send to {store.Location}"))
                {
                    WriteObject(Send(backup, directory, store, cloud));
                }
            });
        }
    }
}
