using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>
/// A cmdlet that a restore needs. It can work without the configuration if asked to, so that a mistake there does not keep people
/// from their data. The cmdlets that make, send and remove backups cannot: they would do it by the wrong rules.
/// </summary>
internal interface IConfigurationOptional
{
    /// <summary>Whether the configuration file and the SHBACKUP_ variables are ignored.</summary>
    SwitchParameter NoConfiguration { get; }
}
