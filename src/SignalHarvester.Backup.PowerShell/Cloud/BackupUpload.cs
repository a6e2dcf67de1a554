using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;

namespace SignalHarvester.Backup.PowerShell.Cloud;

/// <summary>Sends the backups of one command: the place is looked at once, before the first of them.</summary>
internal sealed class BackupUpload(RemoteCatalog remote, bool createContainer)
{
    private bool isReady;

    /// <summary>Sends one backup.</summary>
    public BackupMetadata Run(BackupMetadata backup, BackupDirectory directory, OperationContext context)
    {
        return BackupEngine.Send(backup, directory, remote, Prepare, context);

        void Prepare()
        {
            if (!isReady)
            {
                remote.RequireContainer(createContainer, context.Cancellation);
                SendBackup.CleanUp(remote, context);
                isReady = true;
            }
        }
    }
}
