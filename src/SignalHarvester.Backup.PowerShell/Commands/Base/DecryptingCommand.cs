using System.Management.Automation;
using System.Security;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>What the cmdlets share that may have to open encrypted backups.</summary>
public abstract class DecryptingCommand : BackupInputCommand
{
    /// <summary>Files with age secret keys, from New-SHBackupKey or age-keygen, to open encrypted backups. Without it, that of the configuration.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? IdentityFile { get; set; }

    /// <summary>The passphrase of the encrypted backups.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? Passphrase { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        UseIdentities(IdentityFile, Passphrase);
    }
}
