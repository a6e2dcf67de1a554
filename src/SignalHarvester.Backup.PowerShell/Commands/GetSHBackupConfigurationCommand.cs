using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows the effective settings and their sources.</summary>
/// <remarks>
/// <para>Reads the configuration file and the environment variables that override it, and emits one object for each
/// setting: its key, its value, and whether that is a default, comes from the file (with its line) or from the
/// environment. Parameters of a command win over all of them. Without a configuration file it shows the defaults and the
/// environment.</para>
/// <para>Paths are shown in full. A value that names variables (<c>${NAME}</c>) is shown as written in the file, and
/// values that may contain a password are masked.</para>
/// <para>A configuration with errors is an error here, as for every cmdlet. Test-SHBackupConfiguration explains it.</para>
/// </remarks>
/// <example>
/// <para>Show the effective settings</para>
/// <code>Get-SHBackupConfiguration</code>
/// <para>Shows a table of all settings.</para>
/// </example>
/// <example>
/// <para>Show the settings that were made, and where</para>
/// <code>New-SHBackupConfiguration | Get-SHBackupConfiguration | Where-Object Source -ne Default</code>
/// <para>Writes the sample, and shows its settings with their lines.</para>
/// </example>
/// <example>
/// <para>Show the times of backups</para>
/// <code>Get-SHBackupConfiguration -Key app.backup.schedule.*</code>
/// <para>All times are UTC.</para>
/// </example>
/// <seealso>New-SHBackupConfiguration</seealso>
/// <seealso>Test-SHBackupConfiguration</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupConfiguration", HelpUri = HelpPages.Folder + "Get-SHBackupConfiguration.md")]
[OutputType(typeof(ConfigurationSetting))]
public sealed class GetSHBackupConfigurationCommand : ConfigurationCommand
{
    /// <summary>Keys to show, such as app.backup.compression. Wildcards match several. Tab completes them.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ConfigurationKeyCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Key { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        var configuration = this.StopOnError(FindConfiguration);
        _ = this.StopOnError(configuration.Require);
        foreach (var warning in configuration.Problems)
        {
            WriteWarning(warning.ToString());
        }

        WriteObject(configuration.Effective.Where(IsWanted), enumerateCollection: true);
    }

    private bool IsWanted(ConfigurationSetting setting) =>
        Key is null || Array.Exists(Key, key => setting.Key == key || WildcardPattern.Get(key, WildcardOptions.IgnoreCase).IsMatch(setting.Key));
}
