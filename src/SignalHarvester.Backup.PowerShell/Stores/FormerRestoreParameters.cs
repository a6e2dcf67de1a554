using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Stores;

/// <summary>
/// The former name of Restore-SHBackup -Remote. As an alias of that it would take -From for its abbreviation, because PowerShell binds
/// a cmdlet's own parameters before the shared ones.
/// </summary>
internal sealed class FormerRestoreParameters
{
    /// <summary>The former name of -Remote.</summary>
    [Parameter]
    public SwitchParameter FromCloud { get; set; }
}
