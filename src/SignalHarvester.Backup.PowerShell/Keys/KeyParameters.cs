using System.Management.Automation;
using System.Security;

namespace SignalHarvester.Backup.PowerShell.Keys;

/// <summary>The parameters that open encrypted backups.</summary>
public sealed class KeyParameters : IdentityParameters
{
    /// <summary>The passphrase of the encrypted backups.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? Passphrase { get; set; }
}
