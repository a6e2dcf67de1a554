using System.Management.Automation;
using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>The base of the cmdlets that read a configuration itself.</summary>
public abstract class ConfigurationCommand : OperationCommand
{
    /// <summary>
    /// The configuration file. Without it, the file that the environment variable SHBACKUP_CONFIG names; else
    /// <c>config/settings.yaml</c> in the current location, if it exists.
    /// </summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ConfigurationFileCompleter))]
    [Alias("Path", "LiteralPath", "PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string? ConfigurationPath { get; set; }

    private protected BackupConfiguration FindConfiguration() => Runner.Stoppable(cancellation =>
        BackupConfiguration.FindAll(ConfigurationPath is null ? null : this.FileSystemPath(ConfigurationPath), this.FileSystemLocation, cancellation));
}
