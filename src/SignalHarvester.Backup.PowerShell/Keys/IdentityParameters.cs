using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Keys;

/// <summary>The parameter that names secret keys.</summary>
public class IdentityParameters
{
    /// <summary>Files with age secret keys, from New-SHBackupKey or age-keygen, to open encrypted backups. Without it, that of the configuration.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? IdentityFile { get; set; }
}
