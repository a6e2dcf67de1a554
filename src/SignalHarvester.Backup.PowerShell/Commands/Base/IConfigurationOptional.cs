using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// A cmdlet that a restore takes. It works without the configuration where that is asked for, so that a mistake in it keeps nobody
/// from their data. The cmdlets that make, send and remove backups have no such way: they would do it by the wrong rules.
/// </summary>
internal interface IConfigurationOptional
{
    /// <summary>Whether neither the configuration file nor the SHBACKUP_ variables are looked at.</summary>
    SwitchParameter NoConfiguration { get; }
}
