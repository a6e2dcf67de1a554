using System.Management.Automation;
using SignalHarvester.Backup.Configuration;

namespace SignalHarvester.Backup.PowerShell.Commands;

/// <summary>Writes a configuration to begin with.</summary>
/// <remarks>
/// <para>The file has the few settings that most people need. With -Full it has every setting, with its default or an example and
/// an explanation. In <c>config/settings.yaml</c>, where
/// the application has its own settings, every cmdlet of this module finds it.</para>
/// <para>An existing file is not changed, except with -Force: then it is replaced, including the application's settings
/// in it. To add settings to such a file, write them to another one with -Path and copy from there.</para>
/// </remarks>
/// <example>
/// <para>Start with a configuration</para>
/// <code>New-SHBackupConfiguration</code>
/// <para>Writes ./config/settings.yaml and emits the file. From now on New-SHBackup needs no path.</para>
/// </example>
/// <example>
/// <para>Write every setting, and show the effective ones</para>
/// <code>New-SHBackupConfiguration -Path ./all.yaml -Full | Get-SHBackupConfiguration</code>
/// <para>Relative paths are relative to the folder of the file, or to the one above if that is called config.</para>
/// </example>
/// <seealso>Get-SHBackupConfiguration</seealso>
/// <seealso>Test-SHBackupConfiguration</seealso>
/// <seealso>about_SignalHarvester.Backup</seealso>
[Cmdlet(VerbsCommon.New, "SHBackupConfiguration", SupportsShouldProcess = true, HelpUri = HelpPages.Folder + "New-SHBackupConfiguration.md")]
[OutputType(typeof(FileInfo))]
public sealed class NewSHBackupConfigurationCommand : PSCmdlet
{
    /// <summary>The file to write.</summary>
    [Parameter(Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "config/settings.yaml";

    /// <summary>Writes every setting, with its default or an example and an explanation.</summary>
    [Parameter]
    public SwitchParameter Full { get; set; }

    /// <summary>Replaces an existing file.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord() => this.ReportErrors(() =>
    {
        var file = this.FileSystemPath(Path);
        ConfigurationSample.RequireFree(file, Force);
        if (ShouldProcess(file, "Write a configuration"))
        {
            ConfigurationSample.Write(file, Full ? ConfigurationSample.Full : ConfigurationSample.Essential, Force);
            WriteObject(InvokeProvider.Item.Get([file], force: true, literalPath: true), enumerateCollection: true);
        }
    });
}
