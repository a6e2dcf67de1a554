using System.Management.Automation;
using SignalHarvester.Backup.PowerShell.Completion;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Shows the settings in effect, and where each comes from.</summary>
/// <remarks>
/// <para>Reads the configuration file and the environment variables above it, and emits one object for each setting: its key,
/// its value, and whether that is a default, or stands in the file (with its line) or in the environment. Parameters of
/// a command win over all of them. Without a configuration file the defaults and the environment are shown.</para>
/// <para>Paths are shown in full, as they were understood. A value that names variables (<c>${NAME}</c>) is shown as it stands in
/// the file, and what may hold a password is masked.</para>
/// <para>A configuration with errors is an error here, as it is for every cmdlet. Test-SHBackupConfiguration explains it.</para>
/// </remarks>
/// <example>
/// <para>See what applies</para>
/// <code>Get-SHBackupConfiguration</code>
/// <para>Shows a table of all settings.</para>
/// </example>
/// <example>
/// <para>See what was set, and where</para>
/// <code>New-SHBackupConfiguration | Get-SHBackupConfiguration | Where-Object Source -ne Default</code>
/// <para>Writes the sample, and shows what it sets, with the lines.</para>
/// </example>
/// <example>
/// <para>See when backups are made</para>
/// <code>Get-SHBackupConfiguration -Key app.backup.schedule.*</code>
/// <para>All times are UTC.</para>
/// </example>
/// <seealso>New-SHBackupConfiguration</seealso>
/// <seealso>Test-SHBackupConfiguration</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.Get, "SHBackupConfiguration")]
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
